import type { ExecutionContext } from '@nestjs/common';

/** What both adapters have in common in the objects they hand to a guard. */
export interface GuardedRequest {
  headers: { authorization?: string | undefined };
}

/** The request a guard or a parameter decorator looks at. */
export function requestOf<Request extends GuardedRequest>(context: ExecutionContext): Request {
  return context.switchToHttp().getRequest<Request>();
}

/** An `Authorization` header taken apart; the scheme is in lower case. */
export interface Authorization {
  scheme: string;
  credentials: string;
}

/** Takes the header apart; `undefined` if there is none or it has no two parts. */
export function parseAuthorization(header: string | undefined): Authorization | undefined {
  const [, scheme, credentials] = /^\s*(\S+)\s+(\S+)\s*$/.exec(header ?? '') ?? [];
  if (scheme === undefined || credentials === undefined) return undefined;
  return { scheme: scheme.toLowerCase(), credentials };
}

/** The header of a 401: what is to be sent. [RFC 9110 section 11.6.1] */
export function challenge(scheme: 'Basic' | 'Bearer'): Readonly<Record<string, string>> {
  return { 'WWW-Authenticate': `${scheme} realm="Berbix sandbox"` };
}
