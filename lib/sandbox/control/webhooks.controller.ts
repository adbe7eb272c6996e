import { Controller, Delete, Get, HttpCode, Inject, Post, Put } from '@nestjs/common';
import { WEBHOOK_KINDS } from '../../wire/index.js';
import type { ApiJson } from '../api-json.js';
import { invalidRequest } from '../errors/api.exception.js';
import type { JsonObject } from '../requests/fields.js';
import { JsonObjectBody } from '../requests/json-object-body.decorator.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import { SandboxWebhooks } from '../webhooks/sandbox-webhooks.js';
import { CONTROL_ROOT } from './control-path.js';
import { presentDelivery } from './delivery.presenter.js';
import { Secrets, type Shown } from './secrets.decorator.js';
import { parseWebhookFault, parseWebhookTest, parseWebhookUrls } from './webhook.request.js';

/** The webhooks over HTTP. */
@Controller(`${CONTROL_ROOT}/webhooks`)
export class WebhooksController {
  constructor(
    @Inject(SandboxWebhooks) private readonly webhooks: SandboxWebhooks,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /** The URL of each webhook; where there is one, what they are signed with too. */
  @Get()
  read(@Secrets() shown: Shown): ApiJson {
    const urls = WEBHOOK_KINDS.map((kind) => [kind, this.webhooks.url(kind) ?? null]);
    const { secrets } = this.settings.webhooks;
    const signed = WEBHOOK_KINDS.some((kind) => this.webhooks.url(kind) !== undefined) && {
      finished_secret: secrets.finished,
      status_secret: secrets.status,
    };
    return shown({ ...Object.fromEntries(urls), ...signed });
  }

  /** `{"finished": "http://localhost:3000/hook"}` sets a URL, `null` takes it away. */
  @Put()
  @HttpCode(200)
  setUrls(@JsonObjectBody() body: JsonObject, @Secrets() shown: Shown): ApiJson {
    for (const [kind, url] of parseWebhookUrls(body)) this.webhooks.setUrl(kind, url);
    return this.read(shown);
  }

  /** The deliveries so far, oldest first. */
  @Get('deliveries')
  listDeliveries(@Secrets() shown: Shown): ApiJson {
    return shown({ deliveries: Array.from(this.webhooks.deliveries, presentDelivery) });
  }

  @Delete('deliveries')
  @HttpCode(204)
  clearDeliveries(): void {
    this.webhooks.deliveries.clear();
  }

  /** `{"kind": "finished"}` sends the sample, and answers what the first try made of it. */
  @Post('test')
  @HttpCode(202)
  async sendTest(@JsonObjectBody() body: JsonObject, @Secrets() shown: Shown): Promise<ApiJson> {
    const kind = parseWebhookTest(body);
    const delivery = await this.webhooks.startTest(kind);
    if (delivery !== undefined) return shown(presentDelivery(delivery));
    throw invalidRequest(`The ${kind} webhook has no URL. Set one: PUT ${CONTROL_ROOT}/webhooks.`);
  }

  /** `{"fault": "late", "kind": "status"}` spoils the next one; without a kind, the next of any. */
  @Post('faults')
  @HttpCode(204)
  addFault(@JsonObjectBody() body: JsonObject): void {
    const { fault, kind } = parseWebhookFault(body);
    try {
      this.webhooks.failNext(fault, kind);
    } catch (error) {
      throw invalidRequest((error as Error).message);
    }
  }

  @Delete('faults')
  @HttpCode(204)
  clearFaults(): void {
    this.webhooks.clearFaults();
  }
}
