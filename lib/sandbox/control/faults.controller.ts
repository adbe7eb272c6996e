import { Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { SandboxFaults } from '../faults/sandbox-faults.js';
import { orInvalid, notFound } from '../http/api-exception.js';
import type { ApiJson } from '../http/api-json.js';
import { CONTROL_ROOT } from '../http/paths.js';
import { type JsonObject, JsonObjectBody } from '../http/request-body.js';
import { parseFault, presentFault } from './bodies.js';
import { Describe } from './operations.js';
import { type Redact, Redaction } from './redaction.js';

/** The control API for faults. */
@Controller(`${CONTROL_ROOT}/faults`)
export class FaultsController {
  constructor(@Inject(SandboxFaults) private readonly faults: SandboxFaults) {}

  @Get()
  @Describe('List the pending faults; `times` says how many requests still get each')
  listFaults(@Redaction() redact: Redact): ApiJson {
    return redact({ faults: this.faults.pending.map(presentFault) });
  }

  /** The body is what `sandbox.faults.add()` accepts, where `times` may be `"Infinity"`. */
  @Post()
  @Describe(
    'Add a fault, and show it with its id',
    { kind: 'status', status: 503 },
    { kind: 'latency', ms: 300, probability: 0.2, seed: 1, for_ms: 3_600_000 },
  )
  addFault(@JsonObjectBody() body: JsonObject, @Redaction() redact: Redact): ApiJson {
    const id = orInvalid(() => this.faults.add(parseFault(body)));
    const added = this.faults.pending.find((fault) => fault.id === id);
    return redact(added ? presentFault(added) : { id });
  }

  @Delete(':id')
  @Describe('Remove a pending fault')
  @HttpCode(204)
  removeFault(@Param('id') id: string): void {
    if (this.faults.remove(id)) return;
    throw notFound(
      'No fault with this id is pending. It has ended or was removed; GET /sandbox/faults lists those that are.',
    );
  }

  @Delete()
  @Describe('Remove all pending faults')
  @HttpCode(204)
  clearFaults(): void {
    this.faults.clear();
  }
}
