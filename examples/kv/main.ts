#!/usr/bin/env node
import { Command } from 'commander';
import { snapshot, transfer } from './cli/admin-commands.ts';
import {
  atLeastOne,
  clusterOf,
  count,
  percent,
  withCluster,
  withExpectation,
  withTimeout,
} from './cli/cluster-options.ts';
import { withFlags } from './cli/flags.ts';
import type { ReplayFlags } from './cli/inspect-command.ts';
import { get, put, remove } from './cli/key-commands.ts';
import { add, demote, members, move, promote, removeMember } from './cli/member-commands.ts';
import { output } from './cli/output.ts';
import { readConfig } from './cli/read-config.ts';
import { status } from './cli/status-command.ts';
import { asksForJson, refuseConfiguration, refuseUsage, withJsonErrors } from './cli/usage.ts';
import { watch } from './cli/watch-command.ts';
import { printableConfig } from './config/serve-config.ts';
import { serveSettings } from './config/serve-settings.ts';
import { version } from './version.ts';

// Nodes, clients and the simulator take longer to load than most commands to run: who needs them imports them when it is called.
const args = process.argv.slice(2);
const program = withJsonErrors(new Command('rxraft'), args)
  .description('A replicated key-value store: one node, and a client for a cluster of them.')
  .version(version)
  .showHelpAfterError('(--help shows what there is)');

withFlags(program.command('serve'), serveSettings)
  .description('run one node; environment variables such as RXRAFT_ELECTION_MS say the same as flags')
  .option('--config <FILE>', 'a JSON file with the same names, such as {"election-ms": 500}')
  .option('--print-config', 'print what all of these come to, and end')
  .option('--json', 'print where it listens as one line of JSON')
  .action(async (options: { json?: true; printConfig?: true }, command: Command) => {
    const out = output({ isJson: options.json === true });
    const read = readConfig(command, process.env);
    if ('problems' in read) return refuseConfiguration(read.problems, out);
    if (options.printConfig !== true) {
      const { serve } = await import('./cli/serve-command.ts');
      return serve(read.config, out);
    }
    process.stdout.write(`${JSON.stringify(printableConfig(read.config), null, 2)}\n`);
    out.next('rxraft serve --config FILE, with this in FILE, starts the same');
  });

withTimeout(withCluster(program.command('put <KEY> <VALUE>')))
  .description('set a key')
  .action((key: string, value: string, options) => put(clusterOf(options), key, value, options));

withTimeout(withCluster(program.command('get <KEY>')))
  .description('print the value of a key')
  .option('--consistency <HOW>', 'linearizable (default), session or stale')
  .option('--index <N>', 'with --consistency session: the index of your last write')
  .action((key: string, options) => get(clusterOf(options), key, options));

withTimeout(withCluster(program.command('delete <KEY>')))
  .description('remove a key')
  .action((key: string, options) => remove(clusterOf(options), key, options));

withCluster(program.command('watch'))
  .description('print what is committed, as it is committed')
  .option('--from <INDEX>', 'begin at this index of the log (default: with what comes now)')
  .option('--prefix <PREFIX>', 'only keys that begin like this')
  .action((options) => watch(clusterOf(options), options));

withCluster(program.command('status'))
  .description('show who leads, who follows, and how far each one is')
  .action((options) => status(clusterOf(options)));

withCluster(program.command('members'))
  .description('list who is in the cluster')
  .action((options) => members(clusterOf(options)));

withExpectation(withCluster(program.command('add <ID> <URL>')))
  .description(
    'take in a node that was started with serve --join: a learner, and a voter once it has caught up',
  )
  .option('--learner', 'keep it a learner')
  .action((id: string, url: string, options) => add(clusterOf(options), id, url, options));

withExpectation(withCluster(program.command('remove <ID>')))
  .description('take a member out of the cluster')
  .action((id: string, options) => removeMember(clusterOf(options), id, options));

withExpectation(withCluster(program.command('promote <ID>')))
  .description('let a learner vote that has caught up')
  .action((id: string, options) => promote(clusterOf(options), id, options));

withExpectation(withCluster(program.command('demote <ID>')))
  .description('make a voter a learner')
  .action((id: string, options) => demote(clusterOf(options), id, options));

withExpectation(withCluster(program.command('move <ID> <URL>')))
  .description('tell its peers where a member is reached from now on, such as ws://10.0.0.4:7101')
  .action((id: string, url: string, options) => move(clusterOf(options), id, url, options));

withTimeout(withCluster(program.command('transfer [ID]')))
  .description('hand leadership over, to the voter that is furthest unless one is named')
  .action((id: string | undefined, options) => transfer(clusterOf(options), id, options));

withTimeout(withCluster(program.command('snapshot')))
  .description('let each of the servers take a snapshot, and drop the log before it')
  .action((options) => snapshot(clusterOf(options), options));

withTimeout(withCluster(program.command('bench')))
  .description('put a load on the cluster, over WebSockets, and say how fast it answers')
  .option('--outstanding <N>', 'requests at once', atLeastOne, 256)
  .option('--connections <N>', 'connections, each of a client with a session of its own', atLeastOne, 16)
  .option('--bytes <N>', 'bytes of a value', count, 128)
  .option('--seconds <N>', 'how long it is measured, after a second to warm up', atLeastOne, 10)
  .option('--reads <PERCENT>', 'how many of the requests are linearizable reads', percent, 0)
  .option('--no-session', 'write without sessions: what is lost with a connection is not sent again')
  .action(async (options) => {
    const { bench } = await import('./cli/bench-command.ts');
    return bench(clusterOf(options), options);
  });

program
  .command('inspect')
  .description('look into what a node has left behind')
  .command('replay <FILE>')
  .description('do again what serve --record wrote down, and report the first difference')
  .option('--node <ID>', 'with --to: the node whose state is printed')
  .option('--to <SEQ>', 'print the state after this step; 0 is before the first', count)
  .option('--json', 'print the result as one line of JSON')
  .action(async (path: string, options: ReplayFlags) => {
    const { replay } = await import('./cli/inspect-command.ts');
    await replay(path, options, output({ isJson: options.json === true }));
  });

program
  .command('maelstrom')
  .description(
    'be a node of Maelstrom, for its lin-kv workload: messages on stdin and stdout, logs on stderr',
  )
  .option('--data <DIR>', 'where its state is kept (default: MINI_MAELSTROM_DIR, or beside this folder)')
  .option('--election-ms <MS>', 'the shortest election timeout', '600')
  .option('--heartbeat-ms <MS>', 'between heartbeats of a leader', '100')
  .option('--timeout-ms <MS>', 'how long a request may take', '4000')
  .option('--log-level <LEVEL>', 'what is told on stderr', 'info')
  .action(async (options) => {
    const { maelstrom } = await import('./cli/maelstrom-command.ts');
    return maelstrom(options, output({ isJson: false }));
  });

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1); // Whoever read our results has had enough.
});

process.stderr.on('error', () => undefined); // What can't be told is no reason to end.

await program.parseAsync().catch((error) => refuseUsage(error, output({ isJson: asksForJson(args) })));
