import { expect } from '@jest/globals';
import type { Answer, RawClient } from './raw-client.js';

/** The path of a URL of the sandbox. */
export function pathOf(url: unknown): string {
  return new URL(String(url)).pathname;
}

/** Creates a hosted transaction; its tokens, and the path of its page. */
export async function createHosted(
  client: RawClient,
  hosted_options: Record<string, unknown> = {},
  body: Record<string, unknown> = {},
) {
  const template_key = client.sandbox.templateKeys.hosted;
  const { json } = await client.create({ template_key, hosted_options, ...body });
  return { ...json, accessToken: json.access_token, page: pathOf(json.hosted_url) };
}

/** Sends a form as a browser does. */
export function submit(
  client: RawClient,
  path: string,
  fields: Record<string, string>,
): Promise<Answer> {
  return client.send('POST', path, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
}

/** What every page has, whatever it says. */
export function expectPage({ status, headers, text }: Answer, wanted: number): void {
  expect(status).toBe(wanted);
  expect(headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  const policy = String(headers['content-security-policy']);
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]+='; img-src data:; /);
  expect(policy).toMatch(/; base-uri 'none'; form-action 'self'.*; frame-ancestors 'none'$/);
  expect(text).toMatch(/^<!DOCTYPE html>\n? *<html lang="en">/);
  // Without it a browser asks for /favicon.ico, which the log of requests would show.
  expect(text).toContain('<link rel="icon" href="data:," />');
  // Without it a phone shows the page as small as on a wide screen.
  expect(text).toContain('<meta name="viewport" content="width=device-width, initial-scale=1" />');
  expect(text).toMatch(/<header>.*<a href="\/">Berbix sandbox<\/a><\/header>/s);
  expect(text).not.toMatch(/<script|\son\w+=|https?:\/\/(?!(127\.0\.0\.1|localhost|shop))/);
}

/** What is below the header of a page. */
export function mainOf({ text }: Answer): string {
  return text.slice(text.indexOf('<main>'));
}

/** What a reader sees of it. */
export function wordsOf(answer: Answer): string {
  return mainOf(answer)
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
