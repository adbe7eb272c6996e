import { Controller, Get, HttpCode, Inject, Param, Res, UseFilters } from '@nestjs/common';
import { unknownRoute } from '../http/exception-filter.js';
import { ResponseWriter } from '../http/send-reply.js';
import { CONSOLE_ROOT, HOME_PATH, ICON_PATH } from '../http/paths.js';
import { CONSOLE_FILES, CONSOLE_HEADERS, CONSOLE_PAGE, readConsoleFile } from './console.js';
import { PageExceptionFilter } from './error-pages.js';

/** For people who open the address of the sandbox in a browser. */
@Controller(HOME_PATH)
@UseFilters(PageExceptionFilter)
export class HomeController {
  constructor(@Inject(ResponseWriter) private readonly writer: ResponseWriter) {}

  @Get()
  show(@Res() response: unknown): void {
    this.writer.send(response, 200, CONSOLE_HEADERS, CONSOLE_PAGE);
  }

  @Get(`${CONSOLE_ROOT}/:file`)
  async readFile(@Param('file') name: string, @Res() response: unknown): Promise<void> {
    const content = await readConsoleFile(name);
    if (content === undefined) throw unknownRoute();
    const headers = { 'Content-Type': CONSOLE_FILES[name] ?? '', 'Cache-Control': 'no-store' };
    this.writer.send(response, 200, headers, content);
  }

  /** There is no icon, which is not an error. */
  @Get(ICON_PATH)
  @HttpCode(204)
  showIcon(): void {}
}
