# METADATA
# title: The gateway's policy
# description: Every rule below reads one input document and the site data of the bundle. Nothing else.
# scope: subpackages
# schemas:
#   - input: schema.input
package gateway
