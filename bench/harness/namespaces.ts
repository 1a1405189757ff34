import { spawnSync } from 'node:child_process';
import { atExit } from './at-exit.ts';

/** Of the range that is set aside for benchmarks (RFC 2544); another one for each process, so that two may run at once. */
const network = `198.18.${process.pid % 256}`;

/** Hosts of their own on one machine: a network namespace for each, joined by a bridge. */
export interface Namespaces {
  readonly hosts: readonly { readonly name: string; readonly address: string }[];
  /** Where the hosts reach this process. */
  readonly gateway: string;
  /** From now on every packet from and to this host is lost; nobody is told. */
  drop(name: string): void;
  /** Undoes `drop`. */
  restore(name: string): void;
}

/** Sets up so many hosts until the process ends, or says why it can't. It takes root, Linux, and `ip` of iproute2. */
export function namespaces(count: number): Namespaces | { readonly problem: string } {
  const bridge = `rxb${process.pid}`;
  const hosts = Array.from({ length: count }, (_, at) => ({
    name: `${bridge}-${at + 1}`,
    cable: `rxc${process.pid}-${at + 1}`,
    address: `${network}.${at + 11}`,
  }));
  const cableOf = (name: string): string => hosts.find((host) => host.name === name)?.cable ?? '';
  const remove = (): void => {
    for (const { name } of hosts) ip(`netns del ${name}`);
    ip(`link del ${bridge}`);
  };
  const commands = [
    `link add ${bridge} type bridge`,
    `addr add ${network}.1/24 dev ${bridge}`,
    `link set ${bridge} up`,
    ...hosts.flatMap(({ name, cable, address }) => [
      `netns add ${name}`,
      `link add ${cable} type veth peer name eth0 netns ${name}`,
      `link set ${cable} master ${bridge} up`,
      `-n ${name} addr add ${address}/24 dev eth0`,
      `-n ${name} link set eth0 up`,
      `-n ${name} link set lo up`,
    ]),
  ];
  for (const command of commands) {
    const problem = ip(command);
    if (problem === null) continue;
    remove();
    return { problem: `ip ${command}: ${problem}` };
  }
  atExit(remove);
  return {
    hosts,
    gateway: `${network}.1`,
    drop: (name) => mustIp(`link set ${cableOf(name)} nomaster`),
    restore: (name) => mustIp(`link set ${cableOf(name)} master ${bridge}`),
  };
}

/** Runs `ip`; returns what went wrong, or `null`. */
function ip(command: string): string | null {
  const { status, stderr, error } = spawnSync('ip', command.split(' '), { encoding: 'utf8' });
  if (error !== undefined) return error.message;
  return status === 0 ? null : stderr.trim();
}

function mustIp(command: string): void {
  const problem = ip(command);
  if (problem !== null) throw new Error(`ip ${command}: ${problem}`);
}
