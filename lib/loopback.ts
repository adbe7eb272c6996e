import { isIPv4 } from 'node:net';

/** Whether a host is this machine. @param hostname as a URL has it, an IPv6 address in brackets */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  return isIPv4(hostname) && hostname.startsWith('127.');
}
