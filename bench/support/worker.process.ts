import { answer } from './peer.js';
import type { Measurement, OpenSubject } from './subject.js';

const [module, apiUrl] = process.argv.slice(2) as [string, string];
const { open } = (await import(module)) as { open: OpenSubject<unknown> };
const subject = await open(apiUrl);

answer(async (task): Promise<Measurement> => {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await subject(task);
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000, wallMs };
});
