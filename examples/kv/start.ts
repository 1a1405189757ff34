import { Command } from 'commander';
import { flagsOf, withFlags } from './cli/flags.ts';
import { output } from './cli/output.ts';
import { endOnSignal } from './cli/shutdown.ts';
import { formatProblems } from './config/settings.ts';
import { type Cluster, startCluster } from './launcher/cluster.ts';
import { prepareFolder } from './launcher/folder.ts';
import { type LaunchConfig, launchConfig, nodesOf } from './launcher/launch-config.ts';
import { launchSettings } from './launcher/launch-settings.ts';
import { refusalOfNewNodes } from './launcher/stored-members.ts';

/** How long all nodes may take to end. */
const closeMsMax = 15_000;

const out = output({ isJson: false });

await withFlags(new Command('npm start --'), launchSettings)
  .description('Runs a cluster on this machine, each node in a process of its own, until Ctrl-C.')
  .action(async (_options, command: Command) => {
    const flags = flagsOf(command, launchSettings);
    const read = launchConfig(flags.source);
    const problems = [...flags.problems, ...('problems' in read ? read.problems : [])];
    if ('problems' in read || problems.length > 0) return out.fail(formatProblems(problems));
    const refusal =
      prepareFolder(read.config.data, read.config) ?? (await refusalOfNewNodes(nodesOf(read.config)));
    if (refusal !== null) return out.fail(refusal);
    await run(read.config);
  })
  .parseAsync();

async function run(config: LaunchConfig): Promise<void> {
  const cluster = started(config);
  endOnSignal({ close: cluster.stop, closeMsMax, say: out.say });
  try {
    introduce(cluster, await cluster.ready, config);
  } catch (error) {
    failToStart(error);
    await cluster.stop();
    process.exit(1);
  }
  await cluster.allDead;
  out.fail('no node is left');
  process.exit(1);
}

function started(config: LaunchConfig): Cluster {
  try {
    return startCluster(config, out.say);
  } catch (error) {
    failToStart(error); // A folder of a node can't be written, say. Those that run end when this process does.
    process.exit(1);
  }
}

function failToStart(error: unknown): void {
  out.fail(`the cluster was not started: ${error instanceof Error ? error.message : String(error)}`);
}

function introduce({ processes }: Cluster, leaderId: string, { data, port }: LaunchConfig): void {
  const urls = processes.map(({ node }) => node.url);
  const options = port === 8101 && urls.length === 3 ? '' : ` --urls ${urls.join(',')}`;
  const lines = processes.map(({ node, pid }) => {
    const mark = node.id === leaderId ? '★ leader' : '● follower';
    return `  ${node.id}  ${node.url}  pid ${String(pid).padEnd(7)}  ${mark}`;
  });
  out.text(`${processes.length} nodes are running; data and logs are in ${data}. Ctrl-C stops them.`);
  out.text(lines.join('\n'));
  out.text(`See who leads:   npx rxraft status${options}`);
  out.text(`Write and read:  npx rxraft put greeting hello${options}`);
  out.text(`                 curl ${urls[0]}/kv/greeting`);
}
