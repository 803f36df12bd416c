# The layers: what the sources of each folder of src may include beside themselves. One table, three readers:
# tools/check_layers.sh holds every #include against it; the Makefile and CMakeLists.txt link each unit test with its folder
# and what stands here (and what that uses in turn), nothing else. src/*.cpp itself may include all of src.
FOLDERS := base mem model crypto proto settings push registry dialect gateway link

uses_base :=
uses_mem := base
uses_model := base
uses_crypto := mem base
uses_proto := mem base
uses_settings := base
uses_push := proto crypto model mem base
uses_registry := model mem base
uses_dialect := proto model base
uses_gateway := dialect push registry proto crypto model mem base
uses_link := gateway dialect push registry proto crypto settings model mem base
uses_port_posix := mem base
uses_port_sim := mem base
uses_port_libc := mem base

# Narrower than its folder: of proto, push sees this file only.
only_push := proto/json.h
# Who may include port/port.h.
port_users := link port_posix port_sim
