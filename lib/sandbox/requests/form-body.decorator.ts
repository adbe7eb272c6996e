import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { bodyOf } from './request-body.js';
import { nodeRequestOf, type PlatformRequest } from './node-request.js';

/** The body of the request as the fields of a form. The content type is not looked at. */
export const FormBody = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    new URLSearchParams(
      bodyOf(nodeRequestOf(context.switchToHttp().getRequest<PlatformRequest>())),
    ),
);
