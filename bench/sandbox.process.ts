import { Controller, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { BerbixSandbox } from 'nestjs-berbix/sandbox';
import { serve } from './harness/served.js';

/** A server, and the exchange to send to it. */
export interface Target {
  url: string;
  authorization: string;
  body: string;
}

@Controller('v0/tokens')
class ConstantController {
  /** As large as an answer of the sandbox. */
  @Post()
  @HttpCode(200)
  exchange(): object {
    return { access_token: 'a'.repeat(90), client_token: 'c'.repeat(330), expires_in: 3600 };
  }
}

@Module({ controllers: [ConstantController] })
class ConstantModule {}

async function sandbox(): Promise<Target> {
  const { url, apiSecret, templateKeys } = await BerbixSandbox.start();
  const authorization = `Basic ${Buffer.from(`${apiSecret}:`).toString('base64')}`;
  const created = await fetch(`${url}/v0/transactions`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ customer_uid: 'ada', template_key: templateKeys.sdk }),
  });
  const { refresh_token } = (await created.json()) as { refresh_token: string };
  return { url, authorization, body: JSON.stringify({ refresh_token }) };
}

async function bare(adapter: ExpressAdapter | FastifyAdapter): Promise<Target> {
  const app = await NestFactory.create(ConstantModule, adapter as ExpressAdapter, {
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), authorization: 'Basic eA==', body: '{"refresh_token":"x"}' };
}

const SERVERS: Record<string, () => Promise<Target>> = {
  sandbox,
  // The benchmark opens its stream of events.
  watched: sandbox,
  express: () => bare(new ExpressAdapter()),
  fastify: () => bare(new FastifyAdapter()),
};

const open = SERVERS[process.argv[2] ?? ''];
if (open === undefined) throw new Error(`There is no server "${process.argv[2]}".`);
serve(await open());
