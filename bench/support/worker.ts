import type { Api } from './api.js';
import { Peer } from './peer.js';
import type { Measurement } from './subject.js';

const PROCESS = new URL('./worker.process.js', import.meta.url);

/**
 * Starts a process with one subject, so that none pays for the garbage of another, nor for code
 * that the compiler has made general because another one ran through it.
 *
 * @param module the subject's, which exports `open`
 */
export function startWorker<Task>(module: URL, api: Api): Peer<Task, Measurement> {
  return new Peer(PROCESS, [module.href, api.url], { NODE_EXTRA_CA_CERTS: api.caPath });
}
