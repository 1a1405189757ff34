import { STATUS_CODES } from 'node:http';

/** An answer in full, but for what it says of the connection: that comes between head and body. */
export interface PlainAnswer {
  readonly head: string;
  readonly body: string | Uint8Array;
}

/** An answer with these headers, and what goes without saying. */
export function plainAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): PlainAnswer {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  return { head: `${head}content-length: ${Buffer.byteLength(body)}\r\nDate: ${dateNow()}\r\n`, body };
}

/** The same in JSON. */
export function jsonAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: object,
): PlainAnswer {
  return plainAnswer(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(body));
}

let secondsOfDate = 0;
let date = '';

/** What a `Date` header says now. It is put into words once a second. */
function dateNow(): string {
  const seconds = Math.floor(Date.now() / 1000);
  if (seconds !== secondsOfDate) {
    secondsOfDate = seconds;
    date = new Date(seconds * 1000).toUTCString();
  }
  return date;
}
