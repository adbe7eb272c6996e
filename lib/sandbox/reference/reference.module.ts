import { type DynamicModule, type INestApplicationContext, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ApiExceptionFilter } from '../errors/api-exception.filter.js';
import { ExampleValues } from './example-values.js';
import { ReferenceController } from './reference.controller.js';

/** An application of its own, so that the sandbox does not wait for it when it starts. */
@Module({
  controllers: [ReferenceController],
  providers: [{ provide: APP_FILTER, useClass: ApiExceptionFilter }],
})
export class ReferenceModule {
  static register(sandbox: INestApplicationContext): DynamicModule {
    return {
      module: ReferenceModule,
      providers: [{ provide: ExampleValues, useValue: new ExampleValues(sandbox) }],
    };
  }
}
