import * as v from 'valibot';
import { integer, onOff } from '../config/settings.ts';

/** Everything that `npm start --` can be told. */
export const launchSettings = {
  nodes: {
    value: 'N',
    description: 'how many nodes to run (default 3)',
    expected: 'a whole number from 1 to 9',
    example: '--nodes 3',
    schema: integer(1, 9),
  },
  port: {
    value: 'PORT',
    description: 'where clients reach the first node; the others count up (default 8101)',
    expected: 'a port from 1 to 65535',
    example: '--port 8101',
    schema: integer(1, 65_535),
  },
  'raft-port': {
    value: 'PORT',
    description: 'where other nodes reach the first node; the others count up (default 7101)',
    expected: 'a port from 1 to 65535',
    example: '--raft-port 7101',
    schema: integer(1, 65_535),
  },
  data: {
    value: 'DIR',
    description: 'where the nodes keep their data (default .rxraft)',
    expected: 'a folder',
    example: '--data .rxraft',
    schema: v.pipe(v.string(), v.nonEmpty()),
  },
  fresh: {
    description: 'empty that folder first',
    expected: 'true or false',
    example: '--fresh',
    schema: onOff,
  },
  restart: {
    description: 'start a node again when its process dies',
    expected: 'true or false',
    example: '--restart',
    schema: onOff,
  },
} as const;
