import { answer } from './harness/peer.js';

/** How long a new process takes, in milliseconds. */
export interface StartTimes {
  /** Importing Nest and its HTTP platforms, which a test suite has done anyway. */
  nestMs: number;
  /** From then until the sandbox has answered a request, including its own import. */
  firstAnswerMs: number;
}

answer(async (): Promise<StartTimes> => {
  const begun = performance.now();
  await import('@nestjs/core');
  await import('@nestjs/platform-express');
  await import('@nestjs/platform-fastify');
  const imported = performance.now();
  const { BerbixSandbox } = await import('nestjs-berbix/sandbox');
  const sandbox = await BerbixSandbox.start();
  const { status } = await fetch(`${sandbox.url}/v0/tokens`, { method: 'POST' });
  const answered = performance.now();
  if (status !== 401) throw new Error(`The sandbox answered ${status} where 401 was expected.`);
  await sandbox.close();
  return { nestMs: imported - begun, firstAnswerMs: answered - imported };
});
