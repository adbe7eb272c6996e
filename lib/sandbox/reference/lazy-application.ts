import { READABLE } from '../../wire/index.js';
import { ApiException } from '../errors/api.exception.js';
import { errorReply, sendReply } from '../faults/reply.js';
import type { RequestListener } from '../requests/request-pipeline.js';

/** What listens and can be closed. */
interface Application {
  listener: RequestListener;
  close(): Promise<void>;
}

/** An application that starts with the first request to it. */
export class LazyApplication implements Application {
  #application: Promise<Application> | undefined;

  constructor(private readonly start: () => Promise<Application>) {}

  readonly listener: RequestListener = (request, response) => {
    this.#application ??= this.start();
    this.#application.then(
      (application) => application.listener(request, response),
      (error: unknown) => {
        // It may be mended meanwhile.
        this.#application = undefined;
        sendReply(response, errorReply(notStarted(error)));
      },
    );
  };

  async close(): Promise<void> {
    const application = await this.#application?.catch(() => undefined);
    await application?.close();
  }
}

function notStarted(error: unknown): ApiException {
  const reason = error instanceof Error ? error.message : String(error);
  return new ApiException(500, READABLE.internalError, `This part cannot start: ${reason}`);
}
