import { Injectable } from '@nestjs/common';

/** Where the sandbox listens, for the links in its answers; known once it does. */
@Injectable()
export class SandboxAddress {
  /** Base URL for others, without a slash at the end. */
  url = '';
}
