{{- define "onboarding.databaseName" -}}
{{ required "namespace is required" .Values.namespace }}_{{ required "database is required" .Values.database }}
{{- end }}

{{/* The same for object names: no underscore, and room for a suffix. */}}
{{- define "onboarding.objectName" -}}
{{ printf "%s-%s" .Values.namespace .Values.database | replace "_" "-" | lower | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* The namespace that Secure KVS runs in. */}}
{{- define "onboarding.kvsNamespace" -}}
secure-kvs
{{- end }}
