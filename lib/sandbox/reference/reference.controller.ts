import { Controller, Get, Inject } from '@nestjs/common';
import { ExampleValues } from './example-values.js';
import type { OpenApiDocument } from './openapi.js';
import { createReferenceDocument } from './reference-document.js';
import { DOCUMENT_NAME, REFERENCE_ROOT } from './reference-path.js';

/** Whichever listener the page came from, http or https. */
const SAME_ORIGIN = { url: '/', description: 'This sandbox' };

/** The reference for programs. */
@Controller(REFERENCE_ROOT)
export class ReferenceController {
  constructor(@Inject(ExampleValues) private readonly examples: ExampleValues) {}

  @Get(DOCUMENT_NAME)
  async readDocument(): Promise<OpenApiDocument> {
    return createReferenceDocument(await this.examples.read(), [SAME_ORIGIN]);
  }
}
