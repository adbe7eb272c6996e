import { Controller, Get, Type } from '@nestjs/common';
import { ApiExtraModels, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import { closeAfterFile } from './closing.js';

export type Schema = Record<string, unknown>;

@Controller()
class AnyController {
  @Get()
  get(): void {}
}

/** The schemas that @nestjs/swagger makes of all exported DTO classes in an application. */
export async function schemasOfApplication(): Promise<Record<string, Schema>> {
  const berbix = (await import('nestjs-berbix')) as unknown as Record<string, Type>;
  const models = Object.keys(berbix)
    .filter((name) => name.endsWith('Dto'))
    .map((name) => berbix[name]!);
  ApiExtraModels(...models)(AnyController);
  const module = await Test.createTestingModule({ controllers: [AnyController] }).compile();
  const app = module.createNestApplication({ logger: false });
  closeAfterFile(() => app.close());
  const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
  return document.components?.schemas as Record<string, Schema>;
}
