import { expect } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { errorOf } from '../../support/errors.js';
import { createTransaction, servicesFor, startSandbox } from '../../support/services.js';
import type { Proofs } from '../sdk-defects.js';

export const dotnet: Proofs<'dotnet.'> = {
  async 'dotnet.1'() {
    const sandbox = await startSandbox();
    const services = await servicesFor(sandbox);
    const created = await createTransaction(sandbox, services);
    for (let call = 0; call < 3; call++) await firstValueFrom(services.tokens.refresh(created));
    const exchanges = sandbox.requests.to('POST', '/v0/tokens');
    expect(exchanges).toHaveLength(3);
    for (const { headers, body } of exchanges) {
      expect(headers.authorization).toBe(`Basic ${btoa(`${sandbox.apiSecret}:`)}`);
      expect(JSON.parse(body)).toMatchObject({ grant_type: 'refresh_token' });
    }

    const codes = new Set<string>();
    for (const status of [400, 401, 410, 429, 500]) {
      sandbox.faults.add({ kind: 'status', status });
      codes.add((await errorOf(services.tokens.refresh(created))).code);
    }
    expect(codes.size).toBe(5);
  },
};
