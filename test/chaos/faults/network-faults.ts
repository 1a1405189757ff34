import type { Fault, Scene } from '../fault.ts';
import type { Spell } from '../link-weather.ts';

/** Everything is late, by a little or a lot, on all links or on those of one node. */
export const delay: Fault = {
  name: 'delay',
  run: (scene) =>
    spell(scene, {
      covers: someLinks(scene),
      delayMs: scene.dice.between(5, 150),
      jitterMs: scene.dice.between(0, 150),
    }),
};

/** WebSocket messages are lost, and their connections live on. */
export const drop: Fault = {
  name: 'drop',
  run: (scene) => spell(scene, { covers: someLinks(scene), dropPercent: scene.dice.between(5, 50) }),
};

/** What one node sends to another, or to all, is lost; what they send to it arrives. Or the other way round. */
export const oneWay: Fault = {
  name: 'oneWay',
  run: (scene) => {
    const node = somePlace(scene);
    const other = scene.dice.chance(50) ? somePlace(scene) : null;
    const isMute = scene.dice.chance(50);
    const covers = (from: number, to: number): boolean => {
      const [here, there] = isMute ? [from, to] : [to, from];
      return here === node && (other === null || there === other);
    };
    return spell(scene, { covers, isSilent: true });
  },
};

/** One node hears nobody and is not heard. Its connections stay open, as those to a machine that has vanished do. */
export const halfOpen: Fault = {
  name: 'halfOpen',
  run: (scene) => {
    const node = somePlace(scene);
    return spell(scene, { covers: (from, to) => (from === node) !== (to === node), isSilent: true });
  },
};

/** The nodes fall into two parts; one node may still see both. */
export const partition: Fault = {
  name: 'partition',
  run: (scene) => {
    const { slots } = scene.cluster;
    const side = slots.map(() => scene.dice.chance(50));
    side[0] = !side.slice(1).includes(true); // There is somebody on each side.
    const bridge = scene.dice.chance(30) ? somePlace(scene) : null;
    const covers = (from: number, to: number): boolean =>
      side[from] !== side[to] && from !== bridge && to !== bridge;
    return spell(scene, { covers, isSilent: true });
  },
};

/** Every connection to a node, or to all, is reset. */
export const cut: Fault = {
  name: 'cut',
  run: async (scene) => {
    const isAll = scene.dice.chance(20);
    const cutOff = isAll ? scene.cluster.slots : [scene.dice.pick(scene.cluster.slots)];
    for (const { proxy } of cutOff) proxy.cut();
    return cutOff.map(({ node }) => node.id).join(' ');
  },
};

/** The host of a node is off the network, for other nodes and for clients: packets vanish. */
export const unplug: Fault = {
  name: 'unplug',
  isPossible: ({ net }) => net !== null,
  run: (scene) =>
    scene.withSlot(async (slot) => {
      const { namespace } = slot.place;
      if (namespace === undefined) return null;
      scene.cluster.net?.drop(namespace);
      await scene.last(200, 4_000);
      scene.cluster.net?.restore(namespace);
      return slot.node.id;
    }),
};

async function spell(scene: Scene, weather: Spell): Promise<string> {
  const end = scene.cluster.forecast.begin(weather);
  await scene.last(300, 5_000);
  end();
  const { covers: _, ...what } = weather;
  return JSON.stringify(what);
}

function someLinks(scene: Scene): (from: number, to: number) => boolean {
  const node = scene.dice.chance(50) ? somePlace(scene) : null;
  return (from, to) => node === null || from === node || to === node;
}

function somePlace({ cluster, dice }: Scene): number {
  return dice.below(cluster.slots.length);
}
