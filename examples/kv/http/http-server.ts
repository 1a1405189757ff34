import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { type Address, formatAddress } from '../config/addresses.ts';
import { kvApp } from './app.ts';
import { answerClientErrors } from './client-errors.ts';
import type { KvServices } from './context.ts';
import { answerTo, malformed } from './errors.ts';
import { type PlainConnections, servePlainRequests } from './plain-connections.ts';

/** A server that listens. */
export interface HttpServer {
  /** Where, with the port that was taken. */
  readonly url: string;
  /** What listens, for WebSockets to share. */
  readonly server: Server;
  /**
   * Says farewell, takes no more connections, lets requests that are under way finish for a while, and then
   * ends them.
   */
  close(): Promise<void>;
}

/**
 * How long the server goes on answering, each time with `Connection: close`, before it hangs up: a connection
 * that was cut while a request was on its way leaves its client in doubt.
 */
const farewellMs = 100;

/** How long requests under way may take to finish while the server closes. */
const closeMsMax = 3_000;

/** Serves the HTTP interface. Rejects with a sentence for a person if the address can't be had. */
export async function listenHttp(services: KvServices, address: Address): Promise<HttpServer> {
  const answer = getRequestListener(kvApp(services).fetch, { errorHandler: unreadable });
  // Without a `Host` a request is one that can't be read, and gets the same answer as others.
  const server = createServer({ requireHostHeader: false }, answer);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    continueWhenRead(request, response);
    void answer(request, response);
  });
  answerClientErrors(server);
  const plain = servePlainRequests(server, services);
  await new Promise<void>((resolve, reject) => {
    // Stays on: an accept that fails later, for want of file descriptors, must not end the process.
    server.on('error', (error: NodeJS.ErrnoException) => reject(new Error(reasonOf(error, address))));
    server.listen(address.port, address.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${formatAddress({ host: reachable(address.host), port })}`,
    server,
    close: () => pause(farewellMs).then(() => closed(server, plain)),
  };
}

/**
 * Gives a client that waits for leave to send its body (`Expect: 100-continue`) that leave when somebody reads the body:
 * one that is refused stays where it is. Then nobody knows where the next request begins, since the body may come all
 * the same, and so the connection ends with the answer.
 */
function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const { shouldKeepAlive } = response;
  const read = request._read;
  response.shouldKeepAlive = false;
  request._read = (size) => {
    request._read = read;
    if (!response.headersSent) {
      response.shouldKeepAlive = shouldKeepAlive;
      response.writeContinue();
    }
    read.call(request, size);
  };
}

/** Resolves when the last connection has ended. */
function closed(server: Server, plain: PlainConnections): Promise<void> {
  const idle = setInterval(() => {
    server.closeIdleConnections();
    plain.closeIdle();
  }, 20);
  const deadline = setTimeout(() => {
    server.closeAllConnections();
    plain.closeAll();
  }, closeMsMax);
  return new Promise((resolve) => {
    server.close(() => {
      clearInterval(idle);
      clearTimeout(deadline);
      resolve();
    });
  });
}

/** A host that a client on this machine can use, also where the server listens on all. */
function reachable(host: string): string {
  if (host === '::') return '::1';
  return host === '0.0.0.0' ? '127.0.0.1' : host;
}

/** Answers a request that never became one, such as one whose `Host` is no host. */
function unreadable(error: unknown): Response {
  const reason = error instanceof Error ? error.message : String(error);
  const { status, body } = answerTo(malformed(`the request can't be read: ${reason}`), { isRead: false });
  return Response.json(body, { status });
}

function reasonOf(error: NodeJS.ErrnoException, address: Address): string {
  const where = `${formatAddress(address)} (--http)`;
  if (error.code === 'EADDRINUSE') {
    return `${where} is in use. End the process that listens there, or choose another port.`;
  }
  if (error.code === 'EADDRNOTAVAIL') return `${where} is no address of this machine.`;
  if (error.code === 'EACCES')
    return `${where} may not be used by this user. Ports below 1024 often may not.`;
  return `${where} can't be listened on: ${error.message}`;
}
