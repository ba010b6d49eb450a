import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { MiddlewareHandler } from "hono";
import type { Deps } from "../api/deps.ts";
import { seal, unseal } from "../store/sealing.ts";
import { type Flash, type PortalContext, type PortalEnv, secretFields } from "./form.ts";
import { ownCookie, setOwnCookie, userOfCookie } from "./session.ts";
import { type Faults, NO_FAULTS } from "./words.ts";

/** What is told at once, and where somebody wants to go on after a login. */
type Kind = "flash" | "goal";

const LIFETIME_S: Record<Kind, number> = { flash: 60, goal: 30 * 60 };

/** Browsers refuse a cookie of more than 4096 bytes with its name and attributes. */
const LONGEST = 3800;

/**
 * Carries what a form's answer says to the page that it leads to, in a cookie that is sealed, so that
 * no link can forge a message, and that goes with the first page that shows it.
 */
export function flashes(deps: Deps): MiddlewareHandler<PortalEnv> {
  return async (c, next) => {
    const [flash, goal] = [read(c, deps, "flash"), read(c, deps, "goal")];
    c.set("goal", goal);
    // A script that looks for news must not take what its page is to show.
    const opens = c.req.method === "GET" && c.req.header("sec-fetch-dest") !== "empty";
    const isHere = (left?: Flash) => opens && left && pathOf(left.at) === c.req.path;
    const [told, wanted] = [isHere(flash) ? flash : undefined, isHere(goal) ? goal : undefined];
    const typed = told?.typed ?? wanted?.typed;
    const kept = wanted && Object.keys(wanted.typed ?? {}).length > 0;
    c.set("said", told?.said ?? (kept ? "Check what you typed, and send it again." : undefined));
    c.set("secrets", told?.secrets);
    c.set("faults", { ...(told?.faults ?? NO_FAULTS), ...(typed && { typed }) });

    await next();

    for (const [kind, left, shown] of [
      ["flash", c.get("left"), told],
      ["goal", c.get("leftGoal"), wanted],
    ] as const)
      if (left) write(c, deps, kind, left);
      else if (shown && c.res.status === 200) setOwnCookie(c, deps, kind, "", 0);
  };
}

/** Leads to a page, which says once what was done. */
export function done(c: PortalContext, at: string, said?: string, secrets?: string[]) {
  if (said || secrets) c.set("left", { at, said, secrets });
  return c.redirect(at, 303);
}

/** Leads on after a login, with what there is to say; the start page, which only leads on, says nothing. */
export function arrive(c: PortalContext, to: string, ...said: string[]) {
  const told = said.filter(Boolean).join(" ");
  return done(c, told && to === "/" ? "/devices" : to, told);
}

/** Leads back to a form's page, which says once what was wrong and shows what was typed. */
export function again(c: PortalContext, at: string, faults: Faults) {
  // A field that was not sent may not be on the page.
  const sent = c.get("form");
  const [here, elsewhere] = [new Map<string, string>(), new Set<string>()];
  for (const [name, message] of Object.entries(faults.fields))
    if (sent.has(name)) here.set(name, message);
    else elsewhere.add(message);
  const whole = [faults.whole, ...elsewhere].filter(Boolean).join(" ") || undefined;
  const { status } = faults;
  const fields = Object.fromEntries(here);
  c.set("left", { at, faults: { status, fields, whole }, typed: typedIn(c) });
  c.set("refused", status);
  return c.redirect(at, 303);
}

/** Remembers where to go on after a login, with what was typed there. */
export function remember(c: PortalContext, at: string, typed?: Record<string, string>): void {
  c.set("leftGoal", { at, typed });
}

/** The sent form's fields without passwords and codes. */
export function typedIn(c: PortalContext): Record<string, string> {
  return Object.fromEntries([...c.get("form")].filter(([name]) => !secretFields.has(name)));
}

const pathOf = (at: string) => at.split("?")[0];

function write(c: PortalContext, deps: Deps, kind: Kind, left: Flash): void {
  const userId = c.get("userId") ?? userOfCookie(c, deps);
  for (let flash: Flash | undefined = { ...left, userId }; flash; flash = shortened(flash)) {
    const sealed = seal(deps.config.SEALING_KEYS, deflateRawSync(JSON.stringify(flash)), kind);
    if (sealed.length > LONGEST) continue;
    setOwnCookie(c, deps, kind, sealed, LIFETIME_S[kind]);
    return;
  }
}

/** Without the longest text of what was typed; undefined where nothing is left to leave out. */
function shortened({ typed, ...rest }: Flash): Flash | undefined {
  const [longest] = Object.entries(typed ?? {}).sort(([, a], [, b]) => b.length - a.length);
  if (!longest) return undefined;
  const left = Object.entries(typed ?? {}).filter(([name]) => name !== longest[0]);
  return { ...rest, typed: Object.fromEntries(left) };
}

function read(c: PortalContext, deps: Deps, kind: Kind): Flash | undefined {
  const sealed = ownCookie(c, deps, kind);
  if (!sealed) return undefined;
  try {
    const packed = unseal(deps.config.SEALING_KEYS, sealed, kind);
    const flash: Flash = JSON.parse(inflateRawSync(packed).toString());
    return flash.userId === userOfCookie(c, deps) ? flash : undefined;
  } catch {
    // Not one of ours, or of a key that is gone.
    return undefined;
  }
}
