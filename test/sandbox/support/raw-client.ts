import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  /** The body parsed; large integers lose digits here, so look at `text` for those. */
  json: Record<string, unknown>;
}

export interface Call {
  authorization?: string | undefined;
  headers?: Record<string, string>;
  body?: unknown;
}

export function basic(secret: string): string {
  return `Basic ${Buffer.from(`${secret}:`).toString('base64')}`;
}

/** Talks to a sandbox over a socket of its own for each call, and sees exactly what was sent. */
export class RawClient {
  constructor(
    readonly sandbox: BerbixSandbox,
    readonly secret = sandbox.apiSecret,
    private readonly tls = false,
  ) {}

  /** Opens a call without waiting for the answer. */
  open(
    method: string,
    path: string,
    { authorization, headers = {}, body }: Call = {},
  ): ClientRequest {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const options = {
      method,
      path,
      headers: {
        ...(authorization !== undefined && { authorization }),
        ...(text !== undefined && {
          'content-type': 'application/json',
          ...(!headers['transfer-encoding'] && { 'content-length': Buffer.byteLength(text) }),
        }),
        ...headers,
      },
    };
    const call = this.tls
      ? tlsRequest(this.sandbox.tlsUrl ?? '', {
          ...options,
          agent: new TlsAgent({ ca: readFileSync(this.sandbox.ca ?? '') }),
        })
      : request(this.sandbox.url, { ...options, agent: new Agent() });
    call.end(text);
    return call;
  }

  async send(method: string, path: string, call?: Call): Promise<Answer> {
    const [response] = (await once(this.open(method, path, call), 'response')) as [IncomingMessage];
    const text = await readAll(response);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text,
      json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
  }

  /** The status of an answer that may have no end. */
  async statusOf(method: string, path: string, call?: Call): Promise<number> {
    const open = this.open(method, path, call);
    const [response] = (await once(open, 'response')) as [IncomingMessage];
    open.destroy();
    return response.statusCode ?? 0;
  }

  create(body: Record<string, unknown> = {}): Promise<Answer> {
    return this.send('POST', '/v0/transactions', {
      authorization: basic(this.secret),
      body: { customer_uid: 'alice', template_key: this.sandbox.templateKeys.sdk, ...body },
    });
  }

  refresh(refreshToken: unknown, body: Record<string, unknown> = {}): Promise<Answer> {
    return this.send('POST', '/v0/tokens', {
      authorization: basic(this.secret),
      body: { refresh_token: refreshToken, grant_type: 'refresh_token', ...body },
    });
  }

  fetch(accessToken: unknown, scheme = 'Bearer'): Promise<Answer> {
    return this.send('GET', '/v0/transactions', { authorization: `${scheme} ${accessToken}` });
  }

  createApiOnly(options: Record<string, unknown> = {}, body = {}): Promise<Answer> {
    const template_key = this.sandbox.templateKeys.apiOnly;
    return this.create({ template_key, api_only_options: options, ...body });
  }

  update(accessToken: unknown, body: unknown): Promise<Answer> {
    const authorization = `Bearer ${accessToken}`;
    return this.send('PATCH', '/v0/transactions', { authorization, body });
  }

  override(accessToken: unknown, body: unknown): Promise<Answer> {
    const authorization = `Bearer ${accessToken}`;
    return this.send('PATCH', '/v0/transactions/override', { authorization, body });
  }

  uploadImages(clientToken: unknown, images: unknown): Promise<Answer> {
    const authorization = `Bearer ${clientToken}`;
    return this.send('POST', '/v0/images/upload', { authorization, body: { images } });
  }

  uploadIdScan(clientToken: unknown, scans: unknown): Promise<Answer> {
    const authorization = `Bearer ${clientToken}`;
    return this.send('POST', '/v0/idscans/upload', { authorization, body: { id_scans: scans } });
  }

  delete(accessToken: unknown, scheme = 'Bearer'): Promise<Answer> {
    return this.send('DELETE', '/v0/transactions', { authorization: `${scheme} ${accessToken}` });
  }
}

export async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The error that a call ends with. */
export async function failureOf(call: ClientRequest): Promise<string> {
  return new Promise((resolve) => {
    call.on('error', (error: Error) => resolve(error.message));
    call.on('response', (response) => {
      response.on('error', (error: Error) => resolve(error.message));
      response.on('end', () => resolve('an answer'));
      response.resume();
    });
  });
}
