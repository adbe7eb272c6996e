// The page of a customer. Your framework would write this differently; mountBerbix() stays the same.
import { mountBerbix } from './berbix.js';

const find = (id) => document.getElementById(id);

const { baseUrl } = await (await fetch('config.json')).json();

/** Of the signed-in customer. A real page would have a session cookie. */
let customer;
/** The verification in the page. */
let frame;

/** A request to the backend. */
async function ask(method, path = '', signal = undefined) {
  const headers = { 'x-demo-customer': customer };
  const response = await fetch(`verification${path}`, { method, headers, signal });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

/** Shows the result, which only the backend knows, and what the customer can do next. */
async function show() {
  const { status } = await ask('GET');
  const result = status === 'not_started' ? undefined : await ask('GET', '/result');
  const isFinished = typeof result?.action === 'string';
  say(isFinished ? `Result: ${result.action}, ${result.name}` : 'Your identity is not verified.');
  find('begin').hidden = isFinished;
  find('again').hidden = !isFinished;
}

function say(text) {
  find('status').textContent = text;
}

/** @param path `/again` for another attempt; then the attempt is resumed */
function verify(path) {
  find('begin').hidden = find('again').hidden = true;
  say('Follow the steps below.');
  frame = mountBerbix(find('verification'), {
    baseUrl,
    fetchClientToken: async (signal) => {
      const { clientToken } = await ask('POST', path, signal);
      path = '';
      if (clientToken !== undefined) return clientToken;
      throw new Error('BERBIX_TEMPLATE_KIND is hosted: this page needs a template for frames.');
    },
    onComplete: () => attempt(show),
    onError: (error) => say(`Sorry, that did not work: ${error.message}`),
  });
}

/** Shows what goes wrong, and offers another attempt. */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    say(`Sorry, that did not work: ${error.message}`);
    find('again').hidden = false;
  }
}

find('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  customer = new FormData(event.target).get('customer');
  find('customer').textContent = customer;
  find('sign-in').hidden = true;
  find('account').hidden = false;
  void attempt(show);
});
find('begin').addEventListener('click', () => verify(''));
find('again').addEventListener('click', () => verify('/again'));
find('sign-out').addEventListener('click', () => {
  frame?.unmount();
  find('sign-in').hidden = false;
  find('account').hidden = true;
});
find('address').textContent = location.origin;
