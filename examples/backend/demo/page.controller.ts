import { readFile } from 'node:fs/promises';
import { Controller, Get, Header } from '@nestjs/common';

/** The files of the page, and the module of the package, which needs no bundler. */
const HTML = new URL('page/index.html', import.meta.url);
const STYLE = new URL('page/page.css', import.meta.url);
const SCRIPT = new URL('page/page.js', import.meta.url);
const BERBIX = new URL(import.meta.resolve('nestjs-berbix/browser'));

/** A page on which a customer is verified. */
@Controller()
export class PageController {
  readonly #apiHost = process.env['BERBIX_API_HOST'];

  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  html(): Promise<string> {
    return readFile(HTML, 'utf8');
  }

  @Get('page.css')
  @Header('Content-Type', 'text/css; charset=utf-8')
  style(): Promise<string> {
    return readFile(STYLE, 'utf8');
  }

  @Get('page.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): Promise<string> {
    return readFile(SCRIPT, 'utf8');
  }

  @Get('berbix.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  berbix(): Promise<string> {
    return readFile(BERBIX, 'utf8');
  }

  /** The front end of a sandbox is where its API is; the module knows the one of Berbix. */
  @Get('config.json')
  config(): { baseUrl?: string | undefined } {
    return this.#apiHost === 'https://api.berbix.com' ? {} : { baseUrl: this.#apiHost };
  }
}
