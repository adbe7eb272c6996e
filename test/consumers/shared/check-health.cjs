'use strict';
// The health of an account, by the Terminus of the project: 11 does not know `degraded`.
const assert = require('node:assert/strict');

exports.checkHealth = async ({ berbix, terminus, indicator, testing, degraded }) => {
  const module = await testing.Test.createTestingModule({
    imports: [
      terminus.TerminusModule,
      berbix.BerbixModule.forRoot({
        apiSecret: 'secret_test_x',
        apiHost: 'http://127.0.0.1:9',
        retry: 0,
      }),
    ],
    providers: [indicator.BerbixHealthIndicator],
  }).compile();
  const health = module.get(indicator.BerbixHealthIndicator);
  assert.deepEqual(await health.isHealthy('berbix'), {
    berbix: { status: 'up', berbix: 'up', store: 'up' },
  });
  const tokens = module.get(berbix.BerbixTokenService);
  for (let call = 0; call < 10; call += 1) {
    await new Promise((resolve) => tokens.refresh(`rt_${call}`).subscribe({ error: resolve }));
  }
  const { message, ...rest } = (await health.isHealthy('berbix')).berbix;
  assert.match(message, /^Berbix failed too often/);
  assert.deepEqual(rest, { ...degraded, berbix: 'down', store: 'up' });
  await module.close();
};
