import { Module } from '@nestjs/common';
import { AppModule } from '../app.module.js';
import { PageController } from './page.controller.js';

/** The backend, with a page for its customers at the root. */
@Module({ imports: [AppModule], controllers: [PageController] })
export class DemoModule {}
