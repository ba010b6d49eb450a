import type { Hono, MiddlewareHandler } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { seal, unseal } from "../../store/sealing.ts";
import {
  type Flash,
  type FlashKind,
  hiddenFields,
  type PortalContext,
  type PortalEnv,
  secretFields,
} from "./form.ts";
import { ownCookie, sessionOfCookie, setOwnCookie, userOfCookie } from "./session.ts";
import { type Faults, NO_FAULTS } from "./words.ts";

const LIFETIME_S: Record<FlashKind, number> = { flash: 60, goal: 30 * 60 };

/**
 * In seconds, for what an outage could lose: secrets, and what was typed in a form that met the
 * outage.
 */
const OUTAGE_S = 10 * 60;

/**
 * The longest cookie, in characters. A proxy reads all headers of a response into one buffer, which
 * has 4096 bytes in nginx by default (proxy_buffer_size). A browser takes as much of one cookie.
 * The headers of a page without this cookie take 1500.
 */
const LONGEST = 2400;

/** How much of it fits before sealing: base64 turns three bytes into four characters. */
const LONGEST_BYTES = 1700;

/** More fields than any form has. */
const MOST_FIELDS = 20;

/**
 * For a page that is made as the response to a form: what it shows, by the request for that page.
 */
const shownWithin = new WeakMap<Request, Flash>();

/** The cookie's content; `until` is when it expires, by the service's clock (ms). */
type Sealed = Flash & { userId?: string; sessionId?: string; until: number };

/**
 * Carries a form's messages to the page that the form redirects to, in a sealed cookie, so that no
 * link can forge a message. The first page that shows the messages deletes the cookie.
 */
export function flashes(deps: CoreDeps, app: Hono<PortalEnv>): MiddlewareHandler<PortalEnv> {
  return async (c, next) => {
    const [flash, goal] = [read(c, deps, "flash"), read(c, deps, "goal")];
    c.set("goal", goal);
    // The script that polls for news must neither take nor replace what its page is to show.
    const looks = c.req.method === "GET" && c.req.header("sec-fetch-dest") === "empty";
    const opens = c.req.method === "GET" && !looks;
    const isHere = (left?: Flash) => opens && left && pathOf(left.at) === c.req.path;
    const own = shownWithin.get(c.req.raw);
    const message = own ?? (isHere(flash) ? flash : undefined);
    const wanted = isHere(goal) ? goal : undefined;
    const typed = message?.typed ?? wanted?.typed;
    const check = wanted?.cut ? CUT : isTyped(wanted?.typed) && CHECK;
    c.set("said", [message?.said, check].filter(Boolean).join(" ") || undefined);
    c.set("secrets", message?.secrets);
    c.set("faults", { ...(message?.faults ?? NO_FAULTS), ...(typed && { typed }) });
    const left = new Set<FlashKind>();
    c.set("leave", (kind, what) => {
      if (looks) return true;
      const { sealed, cut } = sealedOf(c, deps, kind, what);
      left.add(kind);
      if (sealed.length <= LONGEST) setOwnCookie(c, deps, kind, sealed, lifetimeOf(kind, what));
      return !cut;
    });
    c.set("show", async (what) => {
      const headers = new Headers(c.req.raw.headers);
      for (const name of ["content-type", "content-length", "sec-fetch-dest"]) headers.delete(name);
      const request = new Request(new URL(what.at, c.req.url), { headers });
      shownWithin.set(request, what);
      return app.fetch(request, c.env);
    });

    await next();

    // Any page shown there, a refusal too, has shown the messages: they are not shown again. A page
    // that failed (5xx) has shown nothing.
    if (c.res.status === 303 || c.res.status >= 500) return;
    for (const [kind, shown] of [
      ["flash", message],
      ["goal", wanted],
    ] as const)
      if (shown && !left.has(kind)) setOwnCookie(c, deps, kind, "", 0);
  };
}

/** Redirects to a page, which says once what was done. */
export function done(c: PortalContext, at: string, said?: string, secrets?: string[]) {
  if (said || secrets) c.get("leave")("flash", { at, said, secrets });
  return c.redirect(at, 303);
}

/**
 * Redirects after a login, with messages. The start page only redirects and cannot show them, so
 * the devices page shows them instead.
 */
export function arrive(c: PortalContext, to: string, ...said: string[]) {
  const message = said.filter(Boolean).join(" ");
  return done(c, message && to === "/" ? "/devices" : to, message);
}

/**
 * Redirects back to a form's page, which says once what was wrong and shows what was typed. If that
 * is too long for the cookie, the page itself is the response (422).
 */
export async function again(c: PortalContext, at: string, faults: Faults): Promise<Response> {
  c.set("refused", faults.status);
  if (leaveFaults(c, at, faults)) return c.redirect(at, 303);
  // This page's own headers delete the cookie, which is not needed then.
  const page = await c.get("show")(toldOf(c, at, faults));
  if (page.status === 200) return new Response(page.body, { status: 422, headers: page.headers });
  return c.redirect(at, 303);
}

/**
 * Leaves what was wrong and what was typed for the form's page; false if some of it was too long.
 */
export function leaveFaults(c: PortalContext, at: string, faults: Faults): boolean {
  return c.get("leave")("flash", toldOf(c, at, faults));
}

/** What the form's page shows. */
function toldOf(c: PortalContext, at: string, faults: Faults): Flash {
  // A field that was not sent may not be on the page.
  const sent = c.get("form");
  const [here, elsewhere] = [new Map<string, string>(), new Set<string>()];
  for (const [name, message] of Object.entries(faults.fields))
    if (sent.has(name)) here.set(name, message);
    else elsewhere.add(message);
  const whole = [faults.whole, ...elsewhere].filter(Boolean).join(" ") || undefined;
  const { status } = faults;
  const fields = Object.fromEntries(here);
  return { at, faults: { status, fields, whole }, typed: typedIn(c) };
}

/**
 * Remembers where to go after a login, with what was typed there. A page of the set-up does not
 * replace the goal of the login before the set-up.
 */
export function remember(c: PortalContext, at: string, typed?: Record<string, string>): void {
  const goal = c.get("goal");
  if (goal && !goal.typed && /^\/(devices|set-up)\b/.test(at)) return;
  c.get("leave")("goal", { at, typed });
}

/** What was typed or chosen in the sent form, without passwords and codes. */
export function typedIn(c: PortalContext): Record<string, string> {
  const shown = [...c.get("form")].filter(
    ([name]) => !secretFields.has(name) && !hiddenFields.has(name),
  );
  return Object.fromEntries(shown.slice(0, MOST_FIELDS));
}

/** Whether anything but spaces was typed. */
export const isTyped = (typed: Record<string, string> = {}): boolean =>
  Object.values(typed).some((value) => value.trim() !== "");

const pathOf = (at: string) => at.split("?")[0];

const CHECK = "Check what you typed, and send it again.";
const CUT = "Some of what you typed was too long to keep. Type it again, and send it.";

function lifetimeOf(kind: FlashKind, { secrets, faults }: Flash): number {
  const wasAway = (faults?.status ?? 0) >= 500;
  return secrets || wasAway ? OUTAGE_S : LIFETIME_S[kind];
}

/** The cookie's value, and whether some of what was typed did not fit into it. */
function sealedOf(c: PortalContext, deps: CoreDeps, kind: FlashKind, left: Flash) {
  const { typed = {}, secrets, ...rest } = left;
  const first: Sealed = {
    ...rest,
    ...(secrets && { secrets, sessionId: sessionOfCookie(c, deps) }),
    userId: c.get("userId") ?? userOfCookie(c, deps),
    until: deps.clock.now() + lifetimeOf(kind, left) * 1000,
  };
  const room = LONGEST_BYTES - bytesOf(first);
  const kept = shortest(typed, room);
  const cut = Object.keys(kept).length < Object.keys(typed).length;
  const text = JSON.stringify({
    ...first,
    ...(left.typed && { typed: kept }),
    ...(cut && { cut }),
  });
  return { sealed: seal(deps.config.SEALING_KEYS, text, kind), cut };
}

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/** As many of the fields as fit into `room` bytes, shortest first. */
function shortest(typed: Record<string, string>, room: number): Record<string, string> {
  const fields = Object.entries(typed)
    .map((field) => ({ field, bytes: bytesOf(field) }))
    .sort((a, b) => a.bytes - b.bytes);
  let used = 0;
  const fitting = fields.filter(({ bytes }) => {
    used += bytes;
    return used <= room;
  });
  return Object.fromEntries(fitting.map(({ field }) => field));
}

function read(c: PortalContext, deps: CoreDeps, kind: FlashKind): Flash | undefined {
  const sealed = ownCookie(c, deps, kind);
  if (!sealed) return undefined;
  try {
    const text = unseal(deps.config.SEALING_KEYS, sealed, kind).toString();
    const { userId, sessionId, until, ...left }: Sealed = JSON.parse(text);
    const isOwn =
      userId === userOfCookie(c, deps) && (!left.secrets || sessionId === sessionOfCookie(c, deps));
    return isOwn && deps.clock.now() < until ? left : undefined;
  } catch {
    // The cookie is forged, or was sealed with a key that we no longer have.
    return undefined;
  }
}
