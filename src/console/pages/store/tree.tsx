import { useState } from "react";
import { Link } from "wouter";
import { Button } from "../../parts/button.tsx";
import { Icon } from "../../parts/icons.tsx";
import { Failure, Skeleton } from "../../parts/states.tsx";
import { isBelow, isSamePath, linkTo } from "./place.ts";
import { useChildren } from "./reads.ts";

const step = 100;
/** The maximum number of namespaces in one response of the API. */
const most = 1_000;

/** The namespaces as a tree. The path to the open namespace is unfolded. The open namespace comes from the URL. */
export function Tree({ namespace }: { namespace: string[] }) {
  return (
    <nav aria-label="Namespaces" className="p-2">
      <NodeLink path={[]} label="All namespaces" icon="database" isCurrent={namespace.length === 0} />
      <Branch path={[]} namespace={namespace} />
    </nav>
  );
}

function Branch({ path, namespace }: { path: string[]; namespace: string[] }) {
  const [limit, setLimit] = useState(step);
  const children = useChildren(path, limit, true);
  if (!children.data)
    return children.error ? (
      <Failure what="The namespaces could not be loaded" error={children.error} retry={() => void children.refetch()} />
    ) : (
      <Skeleton lines={2} className="p-2" />
    );
  if (children.data.length === 0) return null;
  return (
    <ul className={path.length > 0 ? "ml-3.5 border-l border-line pl-1.5" : ""}>
      {children.data.map((child) => (
        <Node key={JSON.stringify(child)} path={child} namespace={namespace} />
      ))}
      {children.data.length >= limit && limit < most && (
        <li>
          <Button kind="quiet" onClick={() => setLimit(Math.min(most, limit * 2))}>
            Show more
          </Button>
        </li>
      )}
      {children.data.length >= most && (
        <li className="px-2 py-1 text-xs text-muted">The first 1,000 are shown. The address opens others.</li>
      )}
    </ul>
  );
}

function Node({ path, namespace }: { path: string[]; namespace: string[] }) {
  const isOpen = isBelow(namespace, path);
  return (
    <li>
      <NodeLink path={path} label={path.at(-1) ?? ""} icon="chevron" isOpen={isOpen} isCurrent={isSamePath(namespace, path)} />
      {isOpen && <Branch path={path} namespace={namespace} />}
    </li>
  );
}

interface NodeLinkProps {
  path: string[];
  label: string;
  icon: "chevron" | "database";
  isOpen?: boolean;
  isCurrent: boolean;
}

function NodeLink({ path, label, icon, isOpen = false, isCurrent }: NodeLinkProps) {
  return (
    <Link
      href={linkTo({ namespace: path })}
      aria-current={isCurrent ? "true" : undefined}
      title={label}
      className={`flex min-h-7 items-center gap-1.5 rounded-md px-2 text-sm ${isCurrent ? "bg-accent-soft font-medium" : "text-muted hover:bg-sunken hover:text-text"}`}
    >
      <Icon name={icon} className={`size-3.5 ${isOpen ? "rotate-90" : ""}`} />
      <span className="min-w-0 truncate">{label === "" ? "(empty)" : label}</span>
    </Link>
  );
}
