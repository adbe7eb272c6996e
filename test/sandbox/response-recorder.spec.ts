import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { ResponseRecorder } from '../../lib/sandbox/http/response-recorder.js';

describe('ResponseRecorder', () => {
  it('keeps as many characters of a text in small parts, whatever their size in bytes', () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const recorder = new ResponseRecorder(response);
    response.setHeader('content-type', 'text/plain');
    const bytes = Buffer.from('☂'.repeat(70_000));
    for (let from = 0; from < bytes.length; from += 1000) {
      response.write(bytes.subarray(from, from + 1000));
    }
    expect(recorder.read()?.body).toBe('☂'.repeat(64 * 1024));
  });

  it.each([
    ['text/html', true],
    ['application/json; charset=utf-8', true],
    ['image/svg+xml', true],
    ['application/javascript', true],
    ['application/x-www-form-urlencoded', true],
    ['application/jsonp', false],
    ['image/png', false],
  ])('has the body of %s: %p', (type, isText) => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const recorder = new ResponseRecorder(response);
    response.setHeader('content-type', type);
    response.end('body');
    expect(recorder.read()?.body).toBe(isText ? 'body' : '');
  });

  it('has the text of an answer, in whatever encoding and type of text it is written', () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const recorder = new ResponseRecorder(response);
    expect(recorder.read()).toBeUndefined();
    response.setHeader('content-type', 'application/problem+json');
    response.write('eyJh', 'base64');
    response.write('Ijoi', 'base64', () => undefined);
    response.write('ä', 'utf-8');
    response.end('"}', () => undefined);
    expect(recorder.read()).toMatchObject({ body: '{"a":"ä"}' });
  });
});
