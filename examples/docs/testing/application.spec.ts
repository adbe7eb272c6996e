import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { BerbixTestingModule, FakeBerbix } from 'nestjs-berbix/testing';
import { firstValueFrom } from 'rxjs';
import { AccountModule, Admission, AppModule } from './application.js';

describe('Admission', () => {
  let berbix: FakeBerbix;
  let module: TestingModule;

  beforeEach(async () => {
    berbix = new FakeBerbix();
    module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideModule(AccountModule)
      .useModule(BerbixTestingModule.forRoot({ berbix }))
      .compile();
    await module.init();
    await firstValueFrom(berbix.verifications.begin('ada', { templateKey: 'tpk_any' }));
  });

  afterEach(() => module.close());

  it.each([
    ['accept', true],
    ['reject', false],
  ])('after %s: %p', async (action, expected) => {
    berbix.finish('ada', action);
    expect(await module.get(Admission).admits('ada')).toBe(expected);
  });
});
