import { useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { forgetCredential, readCredential } from "../credential.ts";
import { pages } from "../pages.ts";
import { IconButton } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { Tag } from "../parts/status.tsx";
import { useSettings } from "../settings.ts";

/** The navigation. It is a column beside the page, or on a narrow screen a menu above the page. */
export function Navigation() {
  const [isOpen, setOpen] = useState(false);
  const [location] = useLocation();
  const place = placeOf(location);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes when another page opens
  useEffect(() => setOpen(false), [location]);
  return (
    <div className="flex shrink-0 flex-col border-line bg-page max-lg:border-b lg:w-52 lg:border-r">
      <div className="flex h-14 items-center gap-2 px-4">
        <Mark />
        <span className="font-semibold">Ensemble</span>
        <div className="ml-auto lg:hidden">
          <IconButton
            icon={isOpen ? "cross" : "menu"}
            label={isOpen ? "Close the menu" : "Open the menu"}
            aria-expanded={isOpen}
            aria-controls="menu"
            onClick={() => setOpen(!isOpen)}
          />
        </div>
      </div>
      <div id="menu" className={`min-h-0 flex-1 flex-col overflow-y-auto lg:flex ${isOpen ? "flex" : "hidden"}`}>
        <nav aria-label="Pages" className="px-2 pb-2">
          <ul className="space-y-0.5">
            {pages.map(({ path, menu }) => menu && <Entry key={path} path={path} {...menu} isOpen={isBelow(place, path)} />)}
          </ul>
        </nav>
        <Footer />
      </div>
    </div>
  );
}

/**
 * Returns the path of the navigation entry that is highlighted for the current page. The page of a single run, for example, highlights the
 * entry of the list of runs.
 */
function placeOf(location: string): string {
  const open = pages.find(({ path }) => new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`).test(location));
  return open?.under ?? location;
}

const isBelow = (location: string, path: string) => location === path || (path !== "/" && location.startsWith(`${path}/`));

function Entry({ path, label, icon, Badge, isOpen }: { path: string; isOpen: boolean } & NonNullable<(typeof pages)[number]["menu"]>) {
  return (
    <li>
      <Link
        href={path}
        aria-current={isOpen ? "page" : undefined}
        className={`flex h-8 items-center gap-2.5 rounded-md px-2 ${isOpen ? "bg-sunken font-medium text-text" : "text-muted hover:bg-sunken hover:text-text"}`}
      >
        <Icon name={icon} />
        {label}
        {Badge && <Badge />}
      </Link>
    </li>
  );
}

function Footer() {
  const { version, mode } = useSettings();
  return (
    <div className="mt-auto space-y-2 px-4 py-3 text-xs text-muted">
      {mode === "read-only" && <Tag>Read only</Tag>}
      {readCredential() !== undefined && (
        <button type="button" className="flex items-center gap-1.5 hover:text-text hover:underline" onClick={() => forgetCredential()}>
          <Icon name="person" className="size-3.5" />
          Sign out
        </button>
      )}
      <p>Version {version}</p>
    </div>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" className="size-5" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="var(--accent)" />
      <g fill="none" stroke="var(--on-accent)" strokeWidth="2.6">
        <path d="M10.5 11.5 21 16M10.5 20.5 21 16" />
      </g>
      <g fill="var(--on-accent)">
        <circle cx="9.5" cy="11" r="3.2" />
        <circle cx="9.5" cy="21" r="3.2" />
        <circle cx="22.5" cy="16" r="3.2" />
      </g>
    </svg>
  );
}
