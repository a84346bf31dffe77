{{- define "ensemble.fullname" -}}
{{ default .Release.Name .Values.fullnameOverride }}
{{- end }}

{{- define "ensemble.selectorLabels" -}}
app.kubernetes.io/name: ensemble
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ensemble.labels" -}}
{{ include "ensemble.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "ensemble.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "ensemble.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end }}

{{- define "ensemble.secretName" -}}
{{ default (include "ensemble.fullname" .) .Values.existingSecret }}
{{- end }}

{{- define "ensemble.secretData" -}}
DATABASE_URL: {{ required "Set databaseUrl to the URL of your Postgres, or existingSecret to a Secret with the key DATABASE_URL. The chart installs no Postgres." .Values.databaseUrl | quote }}
{{- with .Values.databaseDirectUrl }}
DATABASE_DIRECT_URL: {{ . | quote }}
{{- end }}
{{- range $name, $value := .Values.secretEnv }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "ensemble.image" -}}
{{ required "Set image to the image of your project, with its tag. `ensemble build -t <image>` builds it." .Values.image | quote }}
{{- end }}

{{/* The variables of all pods that start the service. */}}
{{- define "ensemble.environment" -}}
- name: ENSEMBLE_URL
  value: {{ default (include "ensemble.defaultUrl" .) .Values.serviceUrl | quote }}
- name: ENSEMBLE_METRICS_HOST
  value: "0.0.0.0"
- name: ENSEMBLE_METRICS_PORT
  value: {{ .Values.metrics.port | quote }}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "ensemble.defaultUrl" -}}
http://{{ include "ensemble.fullname" . }}-api:{{ .Values.service.port }}
{{- end }}

{{- define "ensemble.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "ensemble.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: ["ALL"]
{{- end }}

{{- define "ensemble.annotations" -}}
{{- if not .Values.existingSecret -}}
checksum/secret: {{ include "ensemble.secretData" . | sha256sum }}
{{- end }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The fields that all pods have, except their containers. */}}
{{- define "ensemble.pod" -}}
automountServiceAccountToken: false
securityContext:
  {{- include "ensemble.podSecurityContext" . | nindent 2 }}
volumes:
  - name: tmp
    emptyDir: {}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The fields that all containers have. */}}
{{- define "ensemble.container" -}}
image: {{ include "ensemble.image" . }}
imagePullPolicy: {{ .Values.imagePullPolicy }}
securityContext:
  {{- include "ensemble.securityContext" . | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- end }}
