import type { WebSocket } from 'ws';
import { answerBytes, requestHeaderBytes } from './client-frames.ts';
import type { PrototypeLeader } from './leader.ts';
import type { PrototypeStore } from './store.ts';

/** The leader's side of one client's socket. */
export function serveClient(socket: WebSocket, leader: PrototypeLeader, store: PrototypeStore): void {
  let reads = 0;
  let writes = 0;
  let isAnswering = false;
  /** One message for what one turn has answered. */
  const answer = (): void => {
    if (isAnswering) return;
    isAnswering = true;
    queueMicrotask(() => {
      isAnswering = false;
      const message = Buffer.allocUnsafe(answerBytes);
      message.writeUInt32BE(reads, 0);
      message.writeUInt32BE(writes, 4);
      reads = 0;
      writes = 0;
      socket.send(message);
    });
  };
  socket.on('message', (request: Buffer) => {
    const readCount = request.readUInt32BE(0);
    const writeCount = request.readUInt32BE(4);
    const writesAt = requestHeaderBytes + 4 * readCount;
    if (writeCount > 0)
      leader.submit(request.subarray(writesAt), writeCount, () => {
        writes += writeCount;
        answer();
      });
    if (readCount > 0)
      leader.read(() => {
        for (let at = requestHeaderBytes; at < writesAt; at += 4) store.get(request.subarray(at, at + 4));
        reads += readCount;
        answer();
      });
  });
}
