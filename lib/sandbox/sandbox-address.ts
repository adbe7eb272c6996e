import { Injectable } from '@nestjs/common';

/** Where the sandbox listens, for the links in its answers; known once it does. */
@Injectable()
export class SandboxAddress {
  /** Base URL of the HTTP listener, without a slash at the end. */
  url = '';
}
