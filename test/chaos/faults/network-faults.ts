import type { Fault, Need, Scene } from '../fault.ts';
import type { Spell } from '../link-weather.ts';

/** Without another node there are no links. */
const twoNodes: Need = { what: 'two nodes', isMet: ({ size }) => size > 1 };

/** Everything is late, by a little or a lot, on all links or on those of one node. */
export const delay: Fault = {
  name: 'delay',
  needs: twoNodes,
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
  needs: twoNodes,
  run: (scene) => spell(scene, { covers: someLinks(scene), dropPercent: scene.dice.between(5, 50) }),
};

/** What one node sends to another, or to all, is lost; what they send to it arrives. Or the other way round. */
export const oneWay: Fault = {
  name: 'oneWay',
  needs: twoNodes,
  run: (scene) => {
    const node = somePlace(scene);
    const others = placesOf(scene).filter((place) => place !== node);
    const other = scene.dice.chance(50) ? scene.dice.pick(others) : null;
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
  needs: twoNodes,
  run: (scene) => {
    const node = somePlace(scene);
    return spell(scene, { covers: (from, to) => (from === node) !== (to === node), isSilent: true });
  },
};

/** The nodes fall into two parts; one node may still see both. */
export const partition: Fault = {
  name: 'partition',
  needs: twoNodes,
  run: (scene) => {
    const places = placesOf(scene);
    const side = places.map(() => scene.dice.chance(50));
    side[0] = !side.slice(1).includes(true); // There is somebody on each side.
    const isAlone = (place: number): boolean => side.filter((each) => each === side[place]).length === 1;
    const bridges = places.filter((place) => !isAlone(place)); // Else nobody were on its side but itself.
    const bridge = bridges.length > 0 && scene.dice.chance(30) ? scene.dice.pick(bridges) : null;
    const covers = (from: number, to: number): boolean =>
      side[from] !== side[to] && from !== bridge && to !== bridge;
    return spell(scene, { covers, isSilent: true });
  },
};

/** Every connection to a node, or to all, is reset. */
export const cut: Fault = {
  name: 'cut',
  needs: twoNodes,
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
  needs: { what: 'network namespaces (Linux, root, ip)', isMet: ({ net }) => net !== null },
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

function somePlace(scene: Scene): number {
  return scene.dice.pick(placesOf(scene));
}

function placesOf({ cluster }: Scene): readonly number[] {
  return cluster.slots.map((_, at) => at);
}
