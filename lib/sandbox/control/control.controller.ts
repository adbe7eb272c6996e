import { Controller, Get } from '@nestjs/common';
import type { ApiJson } from '../http/api-json.js';
import { CONTROL_ROOT } from '../http/paths.js';
import { ClockController } from './clock.controller.js';
import { EventsController } from './events.controller.js';
import { FaultsController } from './faults.controller.js';
import { type ControlOperation, Describe, operationsOf } from './operations.js';
import { RequestsController } from './requests.controller.js';
import { StateController } from './state.controller.js';
import { ControlTransactionsController } from './transactions.controller.js';
import { WebhooksController } from './webhooks.controller.js';

/** What the control API can do. */
@Controller(CONTROL_ROOT)
export class ControlController {
  @Get()
  @Describe('List these operations')
  listOperations(): ApiJson {
    const operations = controlOperations().map(({ method, path, does, bodies }) => {
      const examples = bodies.map((body) => JSON.stringify(body)).join(' or ');
      return { request: `${method} ${path}`, does: examples ? `${does}: ${examples}` : does };
    });
    return { operations };
  }
}

/** All operations of the control API. */
export function controlOperations(): ControlOperation[] {
  return operationsOf([
    ControlController,
    RequestsController,
    FaultsController,
    ClockController,
    EventsController,
    ControlTransactionsController,
    WebhooksController,
    StateController,
  ]);
}
