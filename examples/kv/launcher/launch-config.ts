import { type Problem, readSettings, type Source, unknownNames } from '../config/settings.ts';
import { launchSettings } from './launch-settings.ts';

/** A cluster on this machine. */
export interface LaunchConfig {
  readonly nodes: number;
  readonly port: number;
  readonly raftPort: number;
  readonly data: string;
  readonly isFresh: boolean;
  readonly isRestarting: boolean;
}

/** One node of it. */
export interface LaunchedNode {
  readonly id: string;
  readonly data: string;
  readonly listen: string;
  readonly http: string;
  readonly url: string;
}

/** What the command line asks for, or everything that is wrong with it. */
export function launchConfig(
  source: Source,
): { readonly config: LaunchConfig } | { readonly problems: readonly Problem[] } {
  const { values, unreadable, problems } = readSettings(launchSettings, [source]);
  const config = {
    nodes: values.nodes ?? 3,
    port: values.port ?? 8101,
    raftPort: values['raft-port'] ?? 7101,
    data: values.data ?? '.rxraft',
    isFresh: values.fresh ?? false,
    isRestarting: values.restart ?? false,
  };
  const arePortsReadable = !['nodes', 'port', 'raft-port'].some((name) => unreadable.has(name as 'nodes'));
  const all = [
    ...problems,
    ...unknownNames(launchSettings, [source]),
    ...(arePortsReadable ? portProblems(config) : []),
  ];
  return all.length > 0 ? { problems: all } : { config };
}

/** The nodes, `n1` first. */
export function nodesOf({ nodes, port, raftPort, data }: LaunchConfig): readonly LaunchedNode[] {
  return Array.from({ length: nodes }, (_, at) => {
    const http = `127.0.0.1:${port + at}`;
    const id = `n${at + 1}`;
    return { id, data: `${data}/${id}`, listen: `127.0.0.1:${raftPort + at}`, http, url: `http://${http}` };
  });
}

function portProblems({ nodes, port, raftPort }: LaunchConfig): Problem[] {
  const problems: Problem[] = [];
  for (const [name, first] of [
    ['port', port],
    ['raft-port', raftPort],
  ] as const) {
    if (first + nodes - 1 <= 65_535) continue;
    const expected = `room for ${nodes} ports up to 65535`;
    problems.push({ given: `--${name} ${first}`, expected, example: launchSettings[name].example });
  }
  if (Math.abs(port - raftPort) < nodes) {
    const expected = `two ranges of ${nodes} ports that do not overlap`;
    problems.push({
      given: `--port ${port} with --raft-port ${raftPort}`,
      expected,
      example: '--port 8101 --raft-port 7101',
    });
  }
  return problems;
}
