import { html } from "hono/html";
import type { Child } from "hono/jsx";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { SupportContact } from "../../config.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { accountLocked } from "../../core/login/challenges.ts";
import { withSupport } from "../../core/support/support-contact.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { getUser } from "../../store/postgres/users.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { assetPath } from "./assets.ts";
import type { PortalContext } from "./form.ts";
import { Form, Linked, Notice } from "./parts.tsx";
import { NO_FAULTS } from "./words.ts";

/** The user whose page it is. */
export type Who = { username: string; session: Session; locked?: boolean };

/** The session's user, for the page's head. */
export async function whoOf({ db }: CoreDeps, session: Session): Promise<Who> {
  const user = await getUser(db, session.userId);
  return { username: user?.username ?? "", session, locked: Boolean(user?.lockedAt) };
}

type Page = {
  title: string;
  who?: Who;
  /** One column, as wide as a form. */
  narrow?: boolean;
  status?: ContentfulStatusCode;
  /** After how many seconds a browser without scripts reloads the page. */
  againS?: number;
  /** Whether the page has a `KeyForm`. */
  usesKeys?: boolean;
};

/** Answers with a page. It first shows the success or the faults of the form that led here. */
export function page(c: PortalContext, { status = 200, ...of }: Page, children: Child) {
  // A refusal's page shows that refusal only, not the form's too.
  const faults = status >= 400 ? NO_FAULTS : c.get("faults");
  // A page that failed does not show the success; the next page does.
  const said = status >= 500 ? undefined : c.get("said");
  const failed = status >= 400 || faults.status >= 400;
  const body = (
    <Layout
      {...of}
      title={failed ? `Error: ${of.title}` : of.title}
      service={c.get("service")}
      path={c.req.path}
    >
      {said && (
        <Notice kind="good">
          <Linked text={said} contact={ACTIVITY} />
        </Notice>
      )}
      {faults.whole && (
        <Notice kind="bad">
          <Linked text={faults.whole} contact={c.get("support")} />
        </Notice>
      )}
      {of.who?.locked && <Locked contact={c.get("support")} />}
      {children}
    </Layout>
  );
  return c.html(html`<!doctype html>${body}`, status);
}

type CardPage = Omit<Page, "narrow"> & {
  /** The line above the heading: which step the page is. */
  step?: string;
  /** What the page shows above and below the card. */
  before?: Child;
  after?: Child;
};

/** Answers with a narrow page whose content is a card with the title as its heading. */
export function cardPage(
  c: PortalContext,
  { step, before, after, ...of }: CardPage,
  children: Child,
) {
  return page(
    c,
    { ...of, narrow: true },
    <>
      {before}
      <section class="card">
        {step && <p class="step">{step}</p>}
        <h1>{of.title}</h1>
        {children}
      </section>
      {after}
    </>,
  );
}

type LayoutProps = Omit<Page, "status"> & { service: string; path: string; children: Child };

function Layout({ title, who, narrow, againS, usesKeys, service, path, children }: LayoutProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        {/* Our own forms send where they come from; other sites get nothing. */}
        <meta name="referrer" content="same-origin" />
        <title>{`${title} - ${service}`}</title>
        <link rel="icon" href={assetPath("icon.svg")} type="image/svg+xml" />
        <link rel="stylesheet" href={assetPath("style.css")} />
        <script type="module" src={assetPath("portal.js")} />
        {usesKeys && (
          <>
            <script defer src={assetPath("simplewebauthn.js")} />
            <script type="module" src={assetPath("keys.js")} />
          </>
        )}
        {againS && (
          <noscript>
            <meta http-equiv="refresh" content={String(againS)} />
          </noscript>
        )}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header>
          <div class="bar">
            <a class="brand" href="/">
              <img src={assetPath("icon.svg")} alt="" width="28" height="28" />
              {service}
            </a>
            {who && <Account who={who} path={path} />}
          </div>
        </header>
        <main id="main" tabindex={-1} class={narrow ? "narrow" : undefined}>
          {children}
        </main>
      </body>
    </html>
  );
}

/** What a locked user sees where a session is still open. */
function Locked({ contact }: { contact?: SupportContact }) {
  const { message } = withSupport(accountLocked(), contact);
  return (
    <Notice kind="bad">
      <Linked text={message} contact={contact} /> Until then you stay logged in here, but you can't
      log in again.
    </Notice>
  );
}

/** Messages after a login may link to it. */
const ACTIVITY = { text: "See Activity", href: "/activity" };

type Place = readonly [href: string, label: string];

const MINE: Place[] = [
  ["/devices", "My Multi-Factor Devices"],
  ["/sessions", "Sessions"],
  ["/activity", "Activity"],
];

/** The further pages of a role. */
const OF_ROLE: Record<Role, Place[]> = {
  member: [],
  administrator: [],
  support: [["/support", "Support"]],
};

const PASSWORD: Place = ["/sessions/password", "Change Password"];

/** The menu "Account", beside the direct links. */
const ACCOUNT: Record<Role, Place[]> = {
  member: [...MINE.slice(0, 1), PASSWORD],
  administrator: [
    ["/account/users", "User List"],
    ["/devices", "My Multi-Factor Devices"],
    ["/account", "Account Settings"],
    PASSWORD,
  ],
  support: [...MINE.slice(0, 1), PASSWORD],
};

const To = ({ place: [href, label], here }: { place: Place; here?: string }) => (
  <a href={href} aria-current={href === here ? "page" : undefined}>
    {label}
  </a>
);

/** The menu entry that the path belongs to: the longest one that matches. */
function placeOf(path: string, places: Place[]): string | undefined {
  const above = places.map(([href]) => href).filter((href) => `${path}/`.startsWith(`${href}/`));
  return above.sort((a, b) => b.length - a.length)[0];
}

function Account({ who, path }: { who: Who; path: string }) {
  const { scope, role } = who.session;
  const places = scope === "full" ? [...MINE, ...OF_ROLE[role]] : MINE.slice(0, 1);
  const here = placeOf(path, [...places, ...ACCOUNT[role]]);
  return (
    <>
      <nav aria-label="Pages">
        {places.map((place) => (
          <To place={place} here={here} />
        ))}
        {scope === "full" && (
          <details class="menu">
            <summary>Account</summary>
            <div>
              {ACCOUNT[role].map((place) => (
                <To place={place} here={here} />
              ))}
            </div>
          </details>
        )}
      </nav>
      <div class="who">
        <span>{who.username}</span>
        <Form action="/logout">
          <button type="submit" class="second small">
            Log out
          </button>
        </Form>
      </div>
    </>
  );
}
