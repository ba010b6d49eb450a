import type { AnyStateMachine, AnyStateNode } from "xstate";

type Move = { event: string; to: string[] };
type ChartState = { name: string; final: boolean; moves: Move[] };

/** A machine's chart with the current state marked: every state, and where each event leads. */
export function Chart({ machine, state }: { machine: AnyStateMachine; state: string }) {
  return (
    <ol class="chart" aria-label="Chart of the flow">
      {statesOf(machine).map(({ name, final, moves }) => {
        const here = name === state;
        return (
          <li class={final ? "final" : undefined} aria-current={here ? "step" : undefined}>
            <strong>{words(name)}</strong>
            {here && <span class="tag good">Here now</span>}
            <ul>
              {moves.map(({ event, to }) => (
                <li>
                  {words(event)} → {to.map(words).join(" or ")}
                </li>
              ))}
            </ul>
          </li>
        );
      })}
    </ol>
  );
}

/**
 * The states in which a flow can stay: the initial one first, then each after one that leads to it.
 */
function statesOf({ root }: AnyStateMachine): ChartState[] {
  const order = [...stays(root)];
  for (const node of order)
    for (const { nodes } of movesOf(node))
      order.push(...nodes.filter((target) => !order.includes(target)));
  return order.map((node) => ({
    name: node.key,
    final: node.type === "final",
    moves: movesOf(node).map(({ event, nodes }) => ({ event, to: nodes.map(({ key }) => key) })),
  }));
}

/** Where each event leads from the state, events of its parent states included. */
function movesOf(node: AnyStateNode): { event: string; nodes: AnyStateNode[] }[] {
  const own = [...node.transitions].flatMap(([event, transitions]) => {
    const nodes = transitions.flatMap(({ target = [] }) => target.flatMap(stays));
    return nodes.length > 0 ? [{ event, nodes: [...new Set(nodes)] }] : [];
  });
  return node.parent ? [...own, ...movesOf(node.parent)] : own;
}

/** The states where entering this one ends: its initial child, or what `always` leads to. */
function stays(node: AnyStateNode): AnyStateNode[] {
  if (node.always?.length) return node.always.flatMap(({ target = [] }) => target.flatMap(stays));
  return node.type === "compound" ? node.initial.target.flatMap(stays) : [node];
}

/** `PASSCODE_SENT` as "passcode sent", a deadline as "time runs out". */
export function words(name: string): string {
  if (name.startsWith("xstate.after.")) return "time runs out";
  return name.toLowerCase().replaceAll("_", " ");
}
