// A page with the official SDK for React, as an application has it. What it is told is in its log.
import BerbixReact from 'berbix-react';
import { createElement as element } from 'react';
import { createRoot } from 'react-dom/client';

// A CommonJS module, as Node.js sees it.
const BerbixVerify = BerbixReact.default ?? BerbixReact;

function log(text) {
  document
    .querySelector('#log')
    .append(Object.assign(document.createElement('li'), { textContent: text }));
}

const query = new URLSearchParams(location.search);
createRoot(document.querySelector('#verification')).render(
  element(BerbixVerify, {
    baseUrl: query.get('base'),
    clientToken: query.get('token'),
    showInModal: query.has('modal'),
    showCloseModalButton: query.has('modal'),
    onComplete: () => log('complete'),
    onDisplay: () => log('displayed'),
    onError: (error) => log(`error ${JSON.stringify(error)}`),
    onStateChange: (payload) => log(`state ${payload.state}`),
    onCloseModal: () => log('closed'),
  }),
);
