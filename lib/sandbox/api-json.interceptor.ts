import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { map, type Observable } from 'rxjs';
import { type ApiJson, JSON_CONTENT_TYPE, toApiJson } from './api-json.js';

/** Writes what a handler returns as JSON of the API; nothing returned is an empty body. */
@Injectable()
export class ApiJsonInterceptor implements NestInterceptor<ApiJson, string | undefined> {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  intercept(context: ExecutionContext, next: CallHandler<ApiJson>): Observable<string | undefined> {
    return next.handle().pipe(
      map((answer) => {
        if (answer === undefined) return undefined;
        const response = context.switchToHttp().getResponse<unknown>();
        this.adapterHost.httpAdapter.setHeader(response, 'Content-Type', JSON_CONTENT_TYPE);
        return toApiJson(answer);
      }),
    );
  }
}
