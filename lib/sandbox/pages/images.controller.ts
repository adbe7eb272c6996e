import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import { ImageLinks } from '../auth/signed-links.js';
import { ResponseWriter } from '../http/send-reply.js';
import { IMAGES_ROOT } from '../http/paths.js';
import { Transactions } from '../transactions/transactions.js';

/** A PNG of one grey pixel. */
const PLACEHOLDER = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
  'base64',
);

const HEADERS = {
  'Content-Type': 'image/png',
  'Cache-Control': 'no-store',
  // Pages of the application under test show it.
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** The images of results: placeholders, since uploads are not stored. */
@Controller(IMAGES_ROOT)
export class ImagesController {
  constructor(
    @Inject(ImageLinks) private readonly links: ImageLinks,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(ResponseWriter) private readonly writer: ResponseWriter,
  ) {}

  /** The link is the permission, until it expires or the transaction is gone. */
  @Get(':name')
  async read(@Param('name') name: string, @Res() response: unknown): Promise<void> {
    await this.transactions.find(this.links.transactionIdOf(name));
    this.writer.send(response, 200, HEADERS, PLACEHOLDER);
  }
}
