import { Controller, Get, HttpCode, Inject, Res, UseFilters } from '@nestjs/common';
import { HOME_PATH, ICON_PATH } from './hosted-path.js';
import { PageExceptionFilter } from './page-exception.filter.js';
import { PageResponder } from './page-responder.js';
import { homePage } from './pages.js';

/** For whoever opens the address of the sandbox in a browser. */
@Controller(HOME_PATH)
@UseFilters(PageExceptionFilter)
export class HomeController {
  constructor(@Inject(PageResponder) private readonly pages: PageResponder) {}

  @Get()
  show(@Res() response: unknown): void {
    this.pages.send(response, homePage());
  }

  /** There is none, which is no error. */
  @Get(ICON_PATH)
  @HttpCode(204)
  showIcon(): void {}
}
