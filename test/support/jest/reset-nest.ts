import { ConsoleLogger, Logger } from '@nestjs/common';

// Before each spec file: Nest logs as in a new process, whatever the previous file set.
Logger.detachBuffer();
Logger.overrideLogger(new ConsoleLogger());
Reflect.set(Logger, 'logLevels', undefined);
