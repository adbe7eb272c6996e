'use strict';
// CommonJS, since every project can load it. The modules come from the project, since the way they
// are loaded is what is tested.
const assert = require('node:assert/strict');
const { firstValueFrom } = require('rxjs');

/** Uses the package like an application: creates a transaction, refreshes its tokens, checks an error. */
exports.check = async ({ berbix, sandbox: { BerbixSandbox }, testing: { Test } }) => {
  const sandbox = await BerbixSandbox.start();
  const { apiSecret, url: apiHost, templateKeys } = sandbox;
  const application = await Test.createTestingModule({
    imports: [berbix.BerbixModule.forRoot({ apiSecret, apiHost })],
  }).compile();
  try {
    const transactions = application.get(berbix.BerbixTransactionService);
    const created = await firstValueFrom(
      transactions.create({ customerUid: 'ada', templateKey: templateKeys.sdk }),
    );
    assert.ok(created instanceof berbix.BerbixTokens);

    // Client tokens contain the time in seconds, so those of the same second are equal.
    sandbox.clock.advance(1000);
    const tokenService = application.get(berbix.BerbixTokenService);
    const fresh = await firstValueFrom(tokenService.refresh(created.refreshToken));
    assert.ok(fresh instanceof berbix.BerbixTokens);
    assert.equal(fresh.refreshToken, created.refreshToken);
    assert.equal(fresh.transactionId, created.transactionId);
    for (const token of ['accessToken', 'clientToken']) {
      assert.equal(typeof fresh[token], 'string');
      assert.notEqual(fresh[token], created[token]);
    }
    assert.equal(fresh.needsRefresh(), false);

    await assert.rejects(firstValueFrom(tokenService.refresh('of-nobody')), (error) => {
      assert.ok(error instanceof berbix.BerbixInvalidRefreshTokenError);
      assert.ok(error instanceof berbix.BerbixError);
      assert.ok(berbix.isBerbixError(error));
      assert.equal(error.code, 'BERBIX_INVALID_REFRESH_TOKEN');
      return true;
    });
    assert.deepEqual(
      Array.from(sandbox.requests, ({ path }) => path),
      ['/v0/transactions', '/v0/tokens', '/v0/tokens'],
    );
  } finally {
    await application.close();
    await sandbox.close();
  }
};
