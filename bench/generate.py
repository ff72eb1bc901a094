"""Generate a tree of manifests: N services in N files, five objects each; the same for the same seed.

    bench/generate.py FOLDER [--services N] [--seed S] [--change SHARE]

A service is a Deployment or StatefulSet, a Service, a ConfigMap, a HorizontalPodAutoscaler and a NetworkPolicy, as
careful people write them. One in fifty has a misspelt field. With `--change` that share of the services, spread evenly,
differs from the tree without it: another image tag and another value in the ConfigMap.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

TEAMS = ["shop", "billing", "search", "media", "identity", "logistics", "pricing", "reports"]
NOUNS = ["cart", "order", "invoice", "index", "thumb", "session", "route", "price", "ledger", "mail", "audit", "feed"]
ROLES = ["api", "worker", "gateway", "sync", "cache", "store", "proxy", "import"]
SETTINGS = ["LOG_LEVEL", "CACHE_SIZE", "WORKERS", "RETRIES", "TIMEOUT", "BATCH_SIZE", "QUEUE_NAME", "REGION"]
CPU, MEMORY = ["50m", "100m", "250m", "500m"], ["64Mi", "128Mi", "256Mi", "512Mi"]
PER_FOLDER = 50
MISSPELT_EVERY = 50

WORKLOAD = """\
apiVersion: apps/v1
kind: {kind}
metadata:
  name: {name}
  namespace: {team}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: {team}
    app.kubernetes.io/component: {role}
    app.kubernetes.io/version: "{version}"
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/port: "{metrics}"
    example.com/owner: team-{team}@example.com
spec:
  revisionHistoryLimit: 5
{strategy}  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/part-of: {team}
        app.kubernetes.io/component: {role}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 30
      securityContext:
        runAsNonRoot: true
        runAsUser: {user}
        runAsGroup: {user}
        fsGroup: {user}
        seccompProfile:
          type: RuntimeDefault
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    app.kubernetes.io/name: {name}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: topology.kubernetes.io/zone
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              app.kubernetes.io/name: {name}
      containers:
        - name: {role}
          image: registry.example.com/{team}/{name}:{version}
          {pull}: IfNotPresent
          args:
            - --config=/etc/{name}/settings.yaml
            - --listen=:{port}
          ports:
            - name: http
              containerPort: {port}
              protocol: TCP
            - name: metrics
              containerPort: {metrics}
              protocol: TCP
          env:
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
{env}          envFrom:
            - configMapRef:
                name: {name}-config
          resources:
            requests:
              cpu: {cpu}
              memory: {memory}
            limits:
              cpu: "1"
              memory: {memory}
          livenessProbe:
            httpGet:
              path: /healthz
              port: http
            initialDelaySeconds: 10
            periodSeconds: 20
          readinessProbe:
            httpGet:
              path: /ready
              port: http
            periodSeconds: 10
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop:
                - ALL
          volumeMounts:
            - name: config
              mountPath: /etc/{name}
              readOnly: true
            - name: scratch
              mountPath: /tmp
{sidecar}      volumes:
        - name: config
          configMap:
            name: {name}-config
        - name: scratch
          emptyDir: {{}}
{claims}"""
STRATEGY = """\
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 25%
      maxUnavailable: 0
"""
SIDECAR = """\
        - name: log-shipper
          image: registry.example.com/platform/log-shipper:2.8.1
          resources:
            requests:
              cpu: 10m
              memory: 32Mi
            limits:
              cpu: 100m
              memory: 64Mi
          livenessProbe:
            exec:
              command: ["/bin/check", "--alive"]
          readinessProbe:
            exec:
              command: ["/bin/check", "--ready"]
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: scratch
              mountPath: /var/log/app
"""
CLAIMS = """\
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes:
          - ReadWriteOnce
        resources:
          requests:
            storage: {size}Gi
"""
OTHERS = """\
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {team}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: {team}
spec:
{headless}  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: http
      port: 80
      targetPort: http
      protocol: TCP
    - name: metrics
      port: {metrics}
      targetPort: metrics
      protocol: TCP
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}-config
  namespace: {team}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: {team}
data:
{settings}  settings.yaml: |
    server:
      port: {port}
      timeout: {timeout}s
    upstream:
      - http://{other}.{team}.svc.cluster.local
    # the rest has defaults
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {name}
  namespace: {team}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: {team}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: {kind}
    name: {name}
  minReplicas: {least}
  maxReplicas: {most}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {percent}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {name}
  namespace: {team}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: {team}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {name}
  policyTypes:
    - Ingress
    - Egress
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/part-of: {team}
      ports:
        - protocol: TCP
          port: {port}
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
      ports:
        - protocol: UDP
          port: 53
"""


def service(number: int, chance: random.Random, *, changed: bool = False) -> str:
    """The text of one file. Uses the same amount of chance whether `changed` or not."""
    team, noun, role = chance.choice(TEAMS), chance.choice(NOUNS), chance.choice(ROLES)
    stateful = chance.random() < 0.2
    picked = sorted(chance.sample(SETTINGS, 3))
    values = {name: str(chance.randint(1, 500)) for name in picked}
    version = f"{chance.randint(0, 4)}.{chance.randint(0, 30)}.{chance.randint(0, 9)}"
    if changed:
        version += "-rc1"
        values[picked[0]] = "1000"
    words = {
        "kind": "StatefulSet" if stateful else "Deployment",
        "name": f"{noun}-{role}-{number}",
        "team": team,
        "role": role,
        "version": version,
        "pull": "imagePullPolicy" if number % MISSPELT_EVERY else "imagePulPolicy",
        "port": chance.choice([8080, 8443, 9000, 3000]),
        "metrics": chance.choice([9090, 9102]),
        "user": 10_000 + chance.randint(1, 500),
        "cpu": chance.choice(CPU),
        "memory": chance.choice(MEMORY),
        "least": chance.randint(2, 3),
        "most": chance.randint(4, 20),
        "percent": chance.choice([60, 70, 75, 80]),
        "timeout": chance.randint(1, 60),
        "other": f"{chance.choice(NOUNS)}-{chance.choice(ROLES)}-{chance.randint(0, number)}",
        "size": chance.choice([1, 5, 10, 20]),
    }
    words["env"] = "".join(
        f"            - name: {name}\n              valueFrom:\n                configMapKeyRef:\n"
        f"                  name: {words['name']}-config\n                  key: {name}\n"
        for name in picked[:2]
    )
    words["settings"] = "".join(f'  {name}: "{value}"\n' for name, value in values.items())
    words["sidecar"] = SIDECAR if chance.random() < 0.3 else ""
    words["headless"] = "  clusterIP: None\n" if stateful else ""
    words["strategy"] = f"  serviceName: {words['name']}\n" if stateful else STRATEGY
    words["claims"] = CLAIMS.format(**words) if stateful else ""
    return WORKLOAD.format(**words) + OTHERS.format(**words)


def tree(folder: Path, services: int, seed: int = 1, change: float = 0.0) -> int:
    """Write the tree; the number of bytes."""
    chance = random.Random(seed)
    every = round(1 / change) if change else 0
    written = 0
    for number in range(services):
        text = service(number, chance, changed=bool(every) and number % every == every // 2)
        home = folder / f"group-{number // PER_FOLDER:03}"
        home.mkdir(parents=True, exist_ok=True)
        written += (home / f"service-{number:05}.yaml").write_text(text, encoding="utf-8")
    return written


def main() -> None:
    """Write what the command line asks for."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--services", type=int, default=2_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--change", type=float, default=0.0, metavar="SHARE")
    given = options.parse_args()
    written = tree(given.folder, given.services, given.seed, given.change)
    print(f"{given.services} files, {given.services * 5} objects, {written} bytes")


if __name__ == "__main__":
    main()
