import { Controller, Get, HttpCode, Inject, Res, UseFilters } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { commandForReference } from '../reference/reference-page.js';
import type { Platform } from '../server/http-adapter.js';
import { HOME_PATH, ICON_PATH } from './hosted-path.js';
import { PageExceptionFilter } from './page-exception.filter.js';
import { PageResponder } from './page-responder.js';
import { homePage } from './pages.js';

/** For whoever opens the address of the sandbox in a browser. */
@Controller(HOME_PATH)
@UseFilters(PageExceptionFilter)
export class HomeController {
  constructor(
    @Inject(PageResponder) private readonly pages: PageResponder,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Get()
  async show(@Res() response: unknown): Promise<void> {
    const platform = this.adapterHost.httpAdapter.getType() as Platform;
    this.pages.send(response, homePage(await commandForReference(platform)));
  }

  /** There is none, which is no error. */
  @Get(ICON_PATH)
  @HttpCode(204)
  showIcon(): void {}
}
