import { Controller, Get, Inject, Param, Res, StreamableFile } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Transactions } from '../transactions/transactions.js';
import { ImageLinks } from './image-links.js';
import { IMAGES_ROOT } from './image-path.js';

/** One grey pixel, as PNG. */
const PLACEHOLDER = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
  'base64',
);

/** The images of results: a placeholder for each, since nothing that is uploaded is kept. */
@Controller(IMAGES_ROOT)
export class ImagesController {
  constructor(
    @Inject(ImageLinks) private readonly links: ImageLinks,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** No header of authorization: the link is the permission, as long as it and the transaction last. */
  @Get(':name')
  async read(@Param('name') name: string, @Res() response: unknown): Promise<void> {
    await this.transactions.find(this.links.transactionIdOf(name));
    const { httpAdapter } = this.adapterHost;
    httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
    // Pages of the application show it.
    httpAdapter.setHeader(response, 'Cross-Origin-Resource-Policy', 'cross-origin');
    const { length } = PLACEHOLDER;
    httpAdapter.reply(
      response,
      new StreamableFile(PLACEHOLDER, { type: 'image/png', length }),
      200,
    );
  }
}
