import type { Stack } from "./stack.ts";

const SITE = "https://mfa.example";
const FORM = "application/x-www-form-urlencoded";
const LONGEST_WAY = 10;

/** A form of a page: where it is sent, and the values of its fields. */
export type WebForm = { method: string; action: string; fields: Record<string, string> };

export type WebPage = {
  status: number;
  /** The path and query of the page that the redirects ended at. */
  at: string;
  html: string;
  title: string;
  /** The page's heading. */
  heading: string;
  /** The messages that the page shows: success or error. */
  notices: string[];
  forms: WebForm[];
  /** Every input except hidden ones, by name, with its type and value. */
  inputs: Record<string, { type: string; value: string }>;
  /** The first answer, before any redirect. */
  first: Response;
};

/** A minimal browser: keeps cookies, follows redirects, sends forms as our pages do. */
export function webClient({ app }: Pick<Stack, "app">, token?: string) {
  const jar = new Map(token ? [["__Host-session", token]] : []);

  async function once(path: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await app.request(`${SITE}${path}`, {
      ...init,
      headers: {
        accept: "text/html,application/xhtml+xml,*/*;q=0.8",
        "sec-fetch-site": "same-origin",
        ...(cookie && { cookie }),
        ...(init.headers as Record<string, string>),
      },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split("; ");
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      if (attributes.includes("Max-Age=0")) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  }

  async function follow(path: string, first: Response): Promise<WebPage> {
    let [at, answer] = [path, first];
    for (let steps = 0; answer.status === 303; steps++) {
      if (steps === LONGEST_WAY) throw new Error(`${path} leads in circles, over ${at}`);
      const to = new URL(answer.headers.get("location") ?? "", `${SITE}${at}`);
      if (to.origin !== SITE) throw new Error(`${path} leads to ${to}`);
      at = to.pathname + to.search;
      answer = await once(at);
    }
    return { ...read(await answer.text()), at, status: answer.status, first };
  }

  return {
    jar,
    once,
    open: async (path: string) => follow(path, await once(path)),
    /** Sends a form's fields; a text is sent unchanged. */
    async send(
      path: string,
      fields: Record<string, string> | string,
      headers: Record<string, string> = {},
    ): Promise<WebPage> {
      const body = typeof fields === "string" ? fields : new URLSearchParams(fields).toString();
      const sent = { "content-type": FORM, ...headers };
      return follow(path, await once(path, { method: "POST", headers: sent, body }));
    },
  };
}

export type WebClient = ReturnType<typeof webClient>;

function read(html: string) {
  const inputs: WebPage["inputs"] = {};
  for (const input of inputsOf(html))
    if (input.type !== "hidden" && input.name) inputs[input.name] = input;
  const notices = [...html.matchAll(/<div(?![^>]* hidden)[^>]* class="notice[^>]*>(.*?)<\/div>/gs)];
  return {
    html,
    title: decoded(/<title>(.*?)<\/title>/s.exec(html)?.[1]),
    heading: decoded(/<h1>(.*?)<\/h1>/s.exec(html)?.[1]),
    notices: notices.map(([, text]) => decoded(text)),
    forms: [...html.matchAll(/<form ([^>]*)>(.*?)<\/form>/gs)].map(([, head = "", body = ""]) => ({
      method: attribute(head, "method") ?? "get",
      action: attribute(head, "action") ?? "",
      fields: Object.fromEntries(inputsOf(body).map(({ name, value }) => [name, value])),
    })),
    inputs,
  };
}

/** Inputs and selects; only the chosen radio button and the ticked boxes. */
function inputsOf(html: string): { name: string; type: string; value: string }[] {
  const found: { name: string; type: string; value: string }[] = [];
  for (const [tag = ""] of html.matchAll(/<input [^>]*>/g)) {
    const type = attribute(tag, "type") ?? "text";
    const chosen = !/^(radio|checkbox)$/.test(type) || / checked/.test(tag);
    const value = attribute(tag, "value") ?? (type === "checkbox" ? "on" : "");
    if (chosen) found.push({ name: attribute(tag, "name") ?? "", type, value });
  }
  for (const [, head = "", options = ""] of html.matchAll(/<select ([^>]*)>(.*?)<\/select>/gs)) {
    const chosen = /<option[^>]* selected[^>]*>/.exec(options)?.[0];
    const value = attribute(chosen ?? "", "value") ?? "";
    found.push({ name: attribute(head, "name") ?? "", type: "select", value });
  }
  return found;
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(` ${name}="([^"]*)"`).exec(` ${tag}`)?.[1];
  return value === undefined ? undefined : decoded(value);
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', amp: "&", "#39": "'" };

const decoded = (text = "") =>
  text
    .replace(/<[^>]*>/g, "")
    .replace(/&(lt|gt|quot|amp|#39);/g, (_, name) => ENTITIES[name] ?? "");
